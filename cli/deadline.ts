import { LadingError } from '../src/index.js';
import type { CliContext } from './context.js';
import { UsageError } from './usage-error.js';

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
/** What a timer of Node can wait. */
const longestMs = 2 ** 31 - 1;

/**
 * Runs a command that must be done in some time, as `--timeout` says: `90s`, `1h30m`, or a number of seconds. What is under
 * way then is ended as by an interruption.
 * @throws UsageError, LadingError TIMEOUT
 */
export async function withDeadline<T>(
  written: string,
  context: CliContext,
  use: (context: CliContext) => Promise<T>,
): Promise<T> {
  const ms = durationMs(written);
  const over = new AbortController();
  const reason = new LadingError('TIMEOUT', `not done within ${written}`, {
    details: { ms },
    hint: 'What has been transferred is kept: run it again, perhaps with a longer --timeout.',
  });
  const timer = setTimeout(() => over.abort(reason), ms);
  try {
    return await use({ ...context, signal: AbortSignal.any([context.signal, over.signal]) });
  } catch (error) {
    // What else fails then is its consequence.
    throw over.signal.aborted && !context.signal.aborted ? reason : error;
  } finally {
    clearTimeout(timer);
  }
}

function durationMs(written: string): number {
  const parts = [...written.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const plain = /^\d+(?:\.\d+)?$/.test(written);
  const ms = plain
    ? Number(written) * 1000
    : parts.reduce((sum, [, number, unit]) => sum + Number(number) * unitMs[unit as keyof typeof unitMs], 0);
  const whole = plain || (parts.length > 0 && parts.map(([text]) => text).join('') === written);
  if (!whole || ms <= 0 || ms > longestMs) {
    throw new UsageError(`--timeout ${written.slice(0, 100)} is no duration`, 'Write 90s, 10m or 1h30m; at most 596h.');
  }
  return Math.ceil(ms);
}
