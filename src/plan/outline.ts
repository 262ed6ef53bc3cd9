import type { ArgInstruction, DockerfileAst, FromInstruction } from '../dockerfile/ast.js';
import { descriptionOf } from '../dockerfile/description.js';
import { expandWord, variableUsage } from '../dockerfile/expand.js';
import type { SourceRange } from '../errors/errors.js';
import type { StageGraph } from './graph.js';
import type { StagePlan } from './step.js';
import { targetsOf } from './targets.js';

/** A build argument that has an effect on the target. */
export interface OutlineArgument {
  readonly name: string;
  /** In force in this build: what the caller gives, or else the default. */
  readonly value?: string | undefined;
  /** From a comment above: `# NAME description`. */
  readonly description?: string | undefined;
  readonly range: SourceRange;
}

/** Something that RUN asks of whoever builds. */
export interface OutlineMount {
  readonly id: string;
  readonly required: boolean;
  readonly range: SourceRange;
}

/** What a target takes. Lists are in order of the lines in the file. */
export interface DockerfileOutline {
  /** Of the target, where it has one. */
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly args: readonly OutlineArgument[];
  readonly secrets: readonly OutlineMount[];
  /** Agents. */
  readonly ssh: readonly OutlineMount[];
  readonly caches: readonly Omit<OutlineMount, 'required'>[];
}

/** A stage that the target needs. */
export interface OutlinedStage {
  readonly index: number;
  readonly plan: StagePlan;
}

/** What the target of a graph takes, from the stages that it needs, itself included. */
export function outlineOf(ast: DockerfileAst, graph: StageGraph, stages: readonly OutlinedStage[]): DockerfileOutline {
  const { name, description } = targetsOf(ast)[graph.target]!;
  // The target has the first word about an argument that several stages declare.
  const ordered = [...stages].sort((a, b) => Number(b.index === graph.target) - Number(a.index === graph.target));
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    args: byLine(argumentsOf(ast, graph, ordered)),
    ...mountsOf(stages),
  };
}

function argumentsOf(
  ast: DockerfileAst,
  graph: StageGraph,
  stages: readonly OutlinedStage[],
): Map<string, OutlineArgument> {
  const globals = globalArguments(ast, graph);
  const found = new Map<string, OutlineArgument>();
  const used = new Set<string>();
  for (const { index, plan } of stages) {
    for (const argument of stageArguments(graph, index, plan)) {
      const global = globals.get(argument.name)?.argument;
      used.add(argument.name);
      if (found.has(argument.name)) continue;
      const description = argument.description ?? global?.description;
      found.set(argument.name, description === undefined ? argument : { ...argument, description });
    }
    for (const name of namesInFrom(fromsOf(ast)[index]!, graph)) used.add(name);
  }
  // A set grows while it is walked: what a default refers to is used as well.
  for (const name of used) {
    const global = globals.get(name);
    if (global === undefined) continue;
    for (const needed of global.needs) used.add(needed);
    if (!found.has(name)) found.set(name, global.argument);
  }
  return found;
}

/** The ARGs of a stage, and at its FROM those that a trigger of its base brings in. */
function stageArguments(graph: StageGraph, index: number, plan: StagePlan): OutlineArgument[] {
  const { instructions, base, range } = graph.stages[index]!;
  const values = new Map(plan.state.args);
  const written = instructions.flatMap(instruction =>
    instruction.kind === 'ARG' ? argumentsIn(instruction, values) : [],
  );
  if (base.kind !== 'image') return written;
  const known = new Set(written.map(({ name }) => name));
  const brought = [...values].filter(([name]) => !known.has(name));
  return [...brought.map(([name, value]) => argument(name, value, undefined, range)), ...written];
}

interface GlobalArgument {
  readonly argument: OutlineArgument;
  /** Names that its default refers to. */
  readonly needs: ReadonlySet<string>;
}

function globalArguments(ast: DockerfileAst, graph: StageGraph): Map<string, GlobalArgument> {
  const globals = new Map<string, GlobalArgument>();
  for (const instruction of ast.instructions) {
    if (instruction.kind !== 'ARG') break;
    for (const [position, found] of argumentsIn(instruction, graph.scope.args).entries()) {
      const written = instruction.args[position]!.default ?? '';
      globals.set(found.name, { argument: found, needs: namesIn(written, graph) });
    }
  }
  return globals;
}

function argumentsIn(
  { args, comments, range }: ArgInstruction,
  values: ReadonlyMap<string, string | undefined>,
): OutlineArgument[] {
  return args.map(({ name }) => argument(name, values.get(name), descriptionOf(comments, name), range));
}

function argument(
  name: string,
  value: string | undefined,
  description: string | undefined,
  range: SourceRange,
): OutlineArgument {
  return {
    name,
    ...(value === undefined ? {} : { value }),
    ...(description === undefined ? {} : { description }),
    range,
  };
}

function fromsOf(ast: DockerfileAst): FromInstruction[] {
  return ast.instructions.flatMap(instruction => (instruction.kind === 'FROM' ? [instruction] : []));
}

function namesInFrom({ image, platform = '' }: FromInstruction, graph: StageGraph): Set<string> {
  return new Set([...namesIn(image, graph), ...namesIn(platform, graph)]);
}

/** The words of a planned file expand: what would fail has failed before. A default that is not needed may be broken. */
function namesIn(word: string, { scope, escape: escapeCharacter }: StageGraph): Set<string> {
  const usage = variableUsage();
  try {
    expandWord(word, scope.args, { escape: escapeCharacter, usage });
  } catch {
    return new Set();
  }
  return new Set([...usage.set, ...usage.unset]);
}

function mountsOf(stages: readonly OutlinedStage[]): Pick<DockerfileOutline, 'secrets' | 'ssh' | 'caches'> {
  const secrets = new Map<string, OutlineMount>();
  const ssh = new Map<string, OutlineMount>();
  const caches = new Map<string, Omit<OutlineMount, 'required'>>();
  const steps = stages.flatMap(({ plan }) => plan.steps).sort((a, b) => a.range.start.line - b.range.start.line);
  for (const step of steps) {
    if (step.kind !== 'run') continue;
    for (const mount of step.mounts) {
      const { range } = step;
      if (mount.type === 'secret') asked(secrets, mount, range);
      else if (mount.type === 'ssh') asked(ssh, mount, range);
      else if (mount.type === 'cache' && !caches.has(mount.id)) caches.set(mount.id, { id: mount.id, range });
    }
  }
  return { secrets: byLine(secrets), ssh: byLine(ssh), caches: byLine(caches) };
}

/** Needed by one is needed. */
function asked(
  mounts: Map<string, OutlineMount>,
  { id, required }: { readonly id: string; readonly required: boolean },
  range: SourceRange,
): void {
  const known = mounts.get(id);
  mounts.set(id, { id, required: required || (known?.required ?? false), range: known?.range ?? range });
}

function byLine<T extends { readonly range: SourceRange }>(found: ReadonlyMap<string, T>): T[] {
  return [...found.values()].sort((a, b) => a.range.start.line - b.range.start.line);
}
