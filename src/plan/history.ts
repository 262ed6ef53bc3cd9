import { quoteList } from '../dockerfile/go-text.js';
import type { Healthcheck } from '../oci/config.js';
import { formatDuration } from './format-duration.js';
import type { Step } from './step.js';

/**
 * Texts of `created_by`, letter for letter those of BuildKit: other tools read them, and images built from the same
 * Dockerfile can be compared. Steps that change files end in a mark, WORKDIR excepted.
 */
export const fileMark = ' # buildkit';

/** Whether the history entry of a step stands for no layer. */
export function emptyLayer(step: Step): boolean {
  return step.kind === 'config';
}

/** `ENV A=1 B=two words`: nothing is quoted. */
export function pairsText(keyword: string, pairs: ReadonlyArray<readonly [name: string, value: string]>): string {
  return [keyword, ...pairs.map(([name, value]) => `${name}=${value}`)].join(' ');
}

/** `EXPOSE [53/udp 80/tcp]`: Go's `%v` of a list. */
export function listText(keyword: string, values: readonly string[]): string {
  return `${keyword} [${values.join(' ')}]`;
}

/** `CMD ["sh" "-c" "a \"b\""]`: Go's `%q` of a list. */
export function commandText(keyword: string, argv: readonly string[]): string {
  return `${keyword} ${quoteList(argv)}`;
}

/** `RUN |2 A=1 B= /bin/sh -c make # buildkit`, with the ARGs in force before the command. */
export function runText(argv: readonly string[], args: readonly string[]): string {
  const before = args.length === 0 ? [] : [`|${args.length}`, ...args];
  return `RUN ${[...before, ...argv].join(' ')}${fileMark}`;
}

/** `HEALTHCHECK {Test:[CMD-SHELL true] Interval:30s …}`: Go's `%+v` of the structure. */
export function healthcheckText(check: Healthcheck): string {
  const duration = (value: number | undefined): string => formatDuration(value ?? 0);
  const fields = [
    `Test:[${(check.Test ?? []).join(' ')}]`,
    `Interval:${duration(check.Interval)}`,
    `Timeout:${duration(check.Timeout)}`,
    `StartPeriod:${duration(check.StartPeriod)}`,
    `StartInterval:${duration(check.StartInterval)}`,
    `Retries:${check.Retries ?? 0}`,
  ];
  return `HEALTHCHECK {${fields.join(' ')}}`;
}
