import type { CopyInstruction, Instruction } from '../dockerfile/ast.js';
import { expandWord } from '../dockerfile/expand.js';
import type { EscapeCharacter } from '../dockerfile/lex-word.js';
import type { SourceRange } from '../errors/errors.js';
import type { Platform } from '../oci/platform.js';
import { mountFrom } from './mount-fields.js';
import { placed, refusal } from './refusal.js';
import { checkReference } from './stage-base.js';
import type { FileOrigin } from './step.js';

/** What names in `--from` are resolved with: all stages of the file, wherever the instruction stands. */
export interface References {
  /** Index by lower-case name; of equal names the last. */
  readonly names: ReadonlyMap<string, number>;
  readonly stages: ReadonlyArray<{ readonly name?: string | undefined }>;
  readonly namedContexts: ReadonlySet<string>;
  /** What is copied from other images is for the platform of the build, whatever that of the stage. */
  readonly targetPlatform: Platform;
  readonly escape: EscapeCharacter;
}

/** One use of a stage's files by an instruction. */
export interface StageUse {
  readonly stage: number;
  readonly range: SourceRange;
}

/** The stages whose files the instructions of a stage use, whatever their order in the file. */
export function stageDependencies(instructions: readonly Instruction[], references: References): StageUse[] {
  return instructions.flatMap(instruction =>
    originsOf(instruction, references).flatMap(origin =>
      origin.kind === 'stage' ? [{ stage: origin.stage, range: instruction.range }] : [],
    ),
  );
}

function originsOf(instruction: Instruction, references: References): FileOrigin[] {
  if (instruction.kind === 'COPY') return [copyOrigin(instruction, references)];
  if (instruction.kind !== 'RUN') return [];
  const { mounts, range } = instruction;
  return mounts.map(text =>
    mountOrigin(
      placed(range, () => mountFrom(text)),
      range,
      references,
    ),
  );
}

/**
 * Where a COPY takes its files from.
 * @throws LadingError DOCKERFILE_SYNTAX
 */
export function copyOrigin({ from, range }: CopyInstruction, references: References): FileOrigin {
  if (from === undefined || from === '') return { kind: 'context' };
  checkNoVariables(from, range, references);
  if (/^[+-]?\d+$/.test(from)) {
    const stage = Number(from);
    if (stage >= 0 && stage < references.stages.length) return { kind: 'stage', stage };
    throw refusal(range, `invalid stage index ${stage}`, `The stages are 0 to ${references.stages.length - 1}.`);
  }
  return namedOrigin(from, range, references);
}

/**
 * Where a mount takes its files from. Numbers are names here, unlike in COPY.
 * @throws LadingError DOCKERFILE_SYNTAX
 */
export function mountOrigin(from: string, range: SourceRange, references: References): FileOrigin {
  if (from === '') return { kind: 'context' };
  return namedOrigin(from, range, references);
}

function namedOrigin(name: string, range: SourceRange, references: References): FileOrigin {
  const stage = references.names.get(name.toLowerCase());
  if (stage !== undefined) return { kind: 'stage', stage };
  if (name === 'scratch') return { kind: 'scratch' };
  const { namedContexts, targetPlatform: platform, names } = references;
  checkReference(name, range, { namedContexts, platform, stages: names.keys() });
  return { kind: 'named', name };
}

/** The stages must be known before any value is. */
function checkNoVariables(from: string, range: SourceRange, references: References): void {
  if (placed(range, () => expandWord(from, [], references)) === from) return;
  const message =
    'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround';
  throw refusal(range, message, 'Write ARG before the first FROM, FROM ${NAME} AS alias, and --from=alias.');
}

/**
 * Refuses stages that use each other's files.
 * @throws LadingError DOCKERFILE_SYNTAX at the instructions on the way around
 */
export function checkCycles(
  stages: ReadonlyArray<{ readonly name?: string | undefined }>,
  uses: ReadonlyArray<readonly StageUse[]>,
): void {
  const finished = new Set<number>();
  for (const [index, stage] of stages.entries()) {
    const [first, ...others] = circleFrom(index, uses, finished);
    if (first === undefined) continue;
    const name = stage.name ?? `stage-${index}`;
    throw refusal(
      first.range,
      `circular dependency detected on stage: ${name}`,
      'Move what both stages need into a stage before them.',
      others.map(use => use.range),
    );
  }
}

/** The uses that lead from `start` to a stage on the way already, if any. With a stack of its own: files can be long. */
function circleFrom(start: number, uses: ReadonlyArray<readonly StageUse[]>, finished: Set<number>): StageUse[] {
  const path = new Set<number>();
  const stack: Array<{ readonly index: number; next: number }> = [{ index: start, next: 0 }];
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    if (finished.has(top.index)) {
      stack.pop();
      continue;
    }
    path.add(top.index);
    const use = uses[top.index]![top.next++];
    if (use === undefined) {
      finished.add(top.index);
      path.delete(top.index);
    } else if (path.has(use.stage)) return stack.map(({ index, next }) => uses[index]![next - 1]!);
    else stack.push({ index: use.stage, next: 0 });
  }
  return [];
}
