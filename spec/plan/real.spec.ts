import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { dockerfileError } from '../../src/dockerfile/excerpt.js';
import { parseDockerfile } from '../../src/dockerfile/parser.js';
import { isLadingError, type SourceRange } from '../../src/errors/errors.js';
import { type ImageConfig, parseConfig } from '../../src/oci/config.js';
import { formatPlatform } from '../../src/oci/platform.js';
import { finalConfig } from '../../src/plan/lower.js';
import type { StageBase, StagePlan, Step } from '../../src/plan/step.js';
import { expectGolden } from '../support/golden.js';
import { lintAll, planAll, type WrittenOptions } from './support.js';

const root = new URL('../../testdata/dockerfiles-real/', import.meta.url);

/** Dockerfiles as projects write them. `plan.txt` is what becomes of each, in a form that can be read through. */
describe('Dockerfiles of real kinds', () => {
  for (const name of readdirSync(root)) {
    it(name, () => expectGolden(`dockerfiles-real/${name}/plan.txt`, `${planText(new URL(`${name}/`, root))}\n`));
  }
});

function planText(folder: URL): string {
  const read = (name: string): string | undefined => {
    const file = new URL(name, folder);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  const text = read('Dockerfile')!;
  const options = JSON.parse(read('options.json') ?? '{}');
  const written = read('base-config.json');
  const base = written === undefined ? undefined : parseConfig(Buffer.from(written));
  const warnings = lintAll(text, options, base).warnings.map(
    ({ rule, message, range }) => `warning ${range.start.line}: ${rule}: ${message}`,
  );
  return [...stagesText(text, options, base), ...warnings].join('\n');
}

function stagesText(text: string, options: WrittenOptions, base: ImageConfig | undefined): string[] {
  try {
    const { diagnostics } = parseDockerfile(text, { file: 'Dockerfile' });
    const fault = diagnostics.find(({ severity }) => severity === 'error');
    if (fault !== undefined) throw dockerfileError(text, fault);
    const { graph, plans } = planAll(text, options, base);
    return [...plans]
      .sort(([a], [b]) => a - b)
      .flatMap(([index, plan]) => {
        const stage = graph.stages[index]!;
        const needs = [...new Set([...stage.dependsOn, ...plan.stages])].sort();
        return [
          `stage ${index}${stage.name === undefined ? '' : ` ${stage.name}`}: ${stage.fromTitle}`,
          `  ${index === graph.target ? 'target, ' : ''}on ${baseText(stage.base)} for ${formatPlatform(stage.platform)}, needs [${needs}]`,
          ...plan.steps.flatMap(stepLines).map(line => `  ${line}`),
          ...stateLines(plan).map(line => `  = ${line}`),
        ];
      });
  } catch (error) {
    if (!isLadingError(error)) throw error;
    const range = error.place?.range ?? (error.details as { readonly range?: SourceRange }).range;
    return [
      `refused ${error.code} in lines ${range?.start.line}-${range?.end.line}: ${error.message}`,
      `  hint: ${error.hint}`,
    ];
  }
}

function baseText(base: StageBase): string {
  if (base.kind === 'image') return `image ${base.reference}`;
  return base.kind === 'stage' ? `stage ${base.stage}` : 'scratch';
}

/** What fields mostly are, and then are not shown. */
const unsaid = new Map<string, unknown>([
  ['link', false],
  ['parents', false],
  ['inlineFiles', []],
  ['exclude', []],
  ['sources', []],
  ['mounts', []],
  ['proxyEnv', []],
]);

/** The history entry, and below it whatever of the step is not in it. */
function stepLines(step: Step): string[] {
  const { kind, createdBy, title: _, range, ...rest } = step;
  const details = Object.entries(rest)
    .filter(
      ([field, value]) => value !== undefined && !(unsaid.has(field) && String(value) === String(unsaid.get(field))),
    )
    .map(([field, value]) => `    ${field} ${JSON.stringify(value)}`);
  return [`${range.start.line}: ${kind} ${JSON.stringify(createdBy)}`, ...details];
}

function stateLines({ state }: StagePlan): string[] {
  const config = Object.entries(finalConfig(state))
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => `${field} ${JSON.stringify(value)}`);
  const args = state.args.length === 0 ? [] : [`args ${JSON.stringify(state.args)}`];
  const author = state.author === undefined ? [] : [`author ${JSON.stringify(state.author)}`];
  return [...config, ...author, ...args];
}
