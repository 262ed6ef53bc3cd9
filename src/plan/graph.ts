import type { ArgInstruction, DockerfileAst, FromInstruction, Instruction } from '../dockerfile/ast.js';
import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import type { Finding } from '../dockerfile/lint/finding.js';
import { LadingError, type SourceRange } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';
import type { Platform } from '../oci/platform.js';
import { checkCycles, stageDependencies } from './dependencies.js';
import { type GlobalScope, type GlobalScopeInputs, globalScope, isBuiltinArg } from './global-scope.js';
import { collectFindings } from './lint/findings.js';
import { lintDefaultArgs, lintFrom } from './lint/from.js';
import { isProxyArg } from './proxy-args.js';
import { refusal } from './refusal.js';
import type { FoundEpoch } from './source-date-epoch.js';
import { baseOfStage } from './stage-base.js';
import type { StageBase, StagePlan, StageState } from './step.js';

export interface PlanOptions {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly targetPlatform: Platform;
  /** The platform that builds: BUILDPLATFORM. */
  readonly buildPlatform: Platform;
  /** Name of the stage to build, in any case. Default: the last stage. */
  readonly target?: string | undefined;
  /**
   * Named contexts that FROM, `--from` and mounts may mean, and that take the place of stages of their name; one for a
   * single platform is called `name::os/arch`.
   */
  readonly namedContexts: ReadonlySet<string>;
  /** What was found where SOURCE_DATE_EPOCH says, when that is no number: see `epochSource`. */
  readonly foundEpoch?: FoundEpoch | undefined;
  /** What is left out of the context: CopyIgnoredFile is looked for where it is given. */
  readonly contextIgnore?: IgnoreMatcher | undefined;
  /**
   * Told of each thing that a lint rule finds, at once, so that it is known also when planning fails further on. The
   * same findings are in `diagnostics` of what is returned.
   */
  readonly onFinding?: ((finding: Finding) => void) | undefined;
}

export interface Stage {
  readonly index: number;
  /** Lower-case. */
  readonly name?: string | undefined;
  readonly base: StageBase;
  readonly platform: Platform;
  /** Those after FROM; none when a named context takes the stage's place. */
  readonly instructions: readonly Instruction[];
  /** Of FROM. */
  readonly range: SourceRange;
  /** FROM with its variables replaced: `FROM debian:12 AS x`. */
  readonly fromTitle: string;
  /** Stages that this one needs directly, in order of first use; triggers of its base may add others. */
  readonly dependsOn: readonly number[];
}

/** The stages of a Dockerfile, what each starts from, and which one is wanted. */
export interface StageGraph {
  readonly stages: readonly Stage[];
  /** Index of the stage to build. */
  readonly target: number;
  readonly escape: '\\' | '`';
  /** What lint rules found in the FROM lines, whether it is to be shown or not. */
  readonly diagnostics: readonly Finding[];
  /** Index by lower-case name; of equal names the last. */
  readonly names: ReadonlyMap<string, number>;
  readonly scope: GlobalScope;
  /** Names that an ARG of the file declares, in a stage, in a trigger, or before the first FROM. */
  readonly declaredArgs: ReadonlySet<string>;
}

/** What a stage is planned on. */
export interface BaseInput {
  /** Of an earlier stage, or made by `stateFromImage` or `scratchState`. */
  readonly state: StageState;
  /** Whether the base is an image from elsewhere, not a stage of the file. */
  readonly fromImage: boolean;
}

/**
 * Evaluates what stands before and in the FROM lines, resolves names, and checks what can be checked without base
 * images, in stages that are not needed too.
 * @throws LadingError STAGE_UNKNOWN for the target; DOCKERFILE_SYNTAX, BAD_SUBSTITUTION, INVALID_VALUE, UNSUPPORTED
 * with the place in the file
 */
export function planStages(ast: DockerfileAst, options: PlanOptions): StageGraph {
  const { globals, blocks } = splitStages(ast);
  const inputs = scopeInputs(ast, blocks, options);
  const { findings: diagnostics, report } = collectFindings(options.onFinding);
  const froms = blocks.map(({ from }) => from);
  report(lintDefaultArgs(froms, globals, inputs));
  const scope = globalScope(globals, inputs);
  const names = new Map<string, number>();
  const bases: Array<ReturnType<typeof baseOfStage>> = [];
  for (const [index, from] of froms.entries()) {
    report(lintFrom(from, { ...inputs, scope, globals }));
    bases.push(baseOfStage(from, { scope, escape: ast.directives.escape, names, bases, options }));
    if (from.stageName !== undefined) names.set(from.stageName, index);
  }
  const target = findTarget(options.target, names, blocks.length);
  const stages = blocks.map(({ from, instructions }, index): Stage => {
    const { overridden, ...base } = bases[index]!;
    const named = from.stageName === undefined ? {} : { name: from.stageName };
    return { index, ...named, ...base, range: from.range, instructions: overridden ? [] : instructions, dependsOn: [] };
  });
  const { namedContexts, targetPlatform } = options;
  const references = { names, stages, namedContexts, targetPlatform, escape: ast.directives.escape };
  const uses = stages.map(stage => stageDependencies(stage.instructions, references));
  checkCycles(stages, uses);
  return {
    stages: stages.map((stage, index) => ({ ...stage, dependsOn: directNeeds(stage, uses[index]!) })),
    target,
    escape: ast.directives.escape,
    diagnostics,
    names,
    scope,
    declaredArgs: new Set(ast.instructions.flatMap(declaredBy)),
  };
}

/** The stages that the target (or others) needs, itself included, each after those that it needs. */
export function reachableStages(graph: StageGraph, wanted: Iterable<number> = [graph.target]): number[] {
  const seen = new Set(wanted);
  for (const index of seen) for (const needed of graph.stages[index]!.dependsOn) seen.add(needed);
  // What a stage can use stands before it, so the order of the file is an order of dependencies.
  return [...seen].sort((a, b) => a - b);
}

/** SOURCE_DATE_EPOCH, from the build arguments or else the file's own ARG: whole seconds since 1970. */
export function sourceDateEpoch(graph: StageGraph): string | undefined {
  return graph.scope.sourceDateEpoch;
}

/**
 * Names of build arguments that nothing declares and that mean nothing by themselves, sorted. `plans` tell what the
 * triggers of base images declare.
 */
export function unusedBuildArgs(
  graph: StageGraph,
  options: Pick<PlanOptions, 'buildArgs'>,
  plans: Iterable<StagePlan> = [],
): string[] {
  const declared = new Set(graph.declaredArgs);
  for (const { state } of plans) for (const [name] of state.args) declared.add(name);
  return [...options.buildArgs.keys()]
    .filter(name => !declared.has(name) && !isBuiltinArg(name) && !isProxyArg(name))
    .sort();
}

/** A stage as it is written. */
export interface StageBlock {
  readonly from: FromInstruction;
  readonly instructions: Instruction[];
}

/** What the arguments before the first FROM are evaluated with. */
export function scopeInputs(
  ast: DockerfileAst,
  blocks: readonly StageBlock[],
  options: PlanOptions,
): PlanOptions & GlobalScopeInputs {
  const targetStage = options.target || (blocks.at(-1)!.from.stageName ?? '');
  return { ...options, escape: ast.directives.escape, targetStage };
}

/** @throws LadingError DOCKERFILE_SYNTAX when there is no stage, or something in front of the first */
export function splitStages(ast: DockerfileAst): { globals: ArgInstruction[]; blocks: StageBlock[] } {
  const globals: ArgInstruction[] = [];
  const blocks: StageBlock[] = [];
  for (const instruction of ast.instructions) {
    const current = blocks.at(-1);
    if (instruction.kind === 'FROM') blocks.push({ from: instruction, instructions: [] });
    else if (current !== undefined) current.instructions.push(instruction);
    else if (instruction.kind === 'ARG') globals.push(instruction);
    else
      throw refusal(
        instruction.range,
        'no build stage in current context',
        'Start with FROM; only ARG may stand before it.',
      );
  }
  if (blocks.length > 0) return { globals, blocks };
  const start = { line: 1, column: 1 };
  const range = ast.instructions.at(-1)?.range ?? { file: ast.file, start, end: start };
  throw refusal(range, 'dockerfile contains no stages to build', 'Add a FROM instruction.');
}

function findTarget(target: string | undefined, names: ReadonlyMap<string, number>, count: number): number {
  if (target === undefined || target === '') return count - 1;
  const found = names.get(target.toLowerCase());
  if (found !== undefined) return found;
  const known = [...names.keys()];
  const meant = nearest(target, known);
  const suggestion = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  throw new LadingError('STAGE_UNKNOWN', `target stage ${JSON.stringify(target)} could not be found${suggestion}`, {
    details: { name: target, known },
    hint: known.length === 0 ? 'No stage of the file has a name: add AS to a FROM.' : `Stages are ${known.join(', ')}.`,
  });
}

function directNeeds(stage: Stage, uses: ReturnType<typeof stageDependencies>): number[] {
  const base = stage.base.kind === 'stage' ? [stage.base.stage] : [];
  return [...new Set([...base, ...uses.map(use => use.stage)])];
}

function declaredBy(instruction: Instruction): string[] {
  const inner = instruction.kind === 'ONBUILD' ? instruction.instruction : instruction;
  return inner.kind === 'ARG' ? inner.args.map(arg => arg.name) : [];
}
