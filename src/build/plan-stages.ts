import type { SourceRange } from '../errors/errors.js';
import type { Image } from '../image/image.js';
import { type BaseInput, type PlanOptions, reachableStages, type StageGraph } from '../plan/graph.js';
import { planStage, scratchState, stateFromImage } from '../plan/lower.js';
import type { StagePlan } from '../plan/step.js';
import { type FilesContext, findNamedContext, type NamedContexts } from './inputs.js';
import { type ImageUse, imageKey, type OpenImagesOptions, openImages } from './open-images.js';
import { withExcerpt } from './with-excerpt.js';

/** A stage ready to be carried out: its steps, and what it starts from. */
export interface ReadyStage {
  readonly index: number;
  readonly plan: StagePlan;
  readonly base:
    | { readonly kind: 'scratch' }
    | { readonly kind: 'stage'; readonly stage: number }
    | { readonly kind: 'image'; readonly image: Image }
    | ({ readonly kind: 'context' } & FilesContext);
}

/** The stages of a Dockerfile as they are for one platform. */
export interface PlatformGraph {
  readonly graph: StageGraph;
  readonly planOptions: PlanOptions;
}

export interface PlanStagesOptions extends OpenImagesOptions {
  /** Images that are open; bases are added. */
  readonly opened: Map<string, Image>;
  /** Plan stages that the target does not need as well. */
  readonly all?: boolean | undefined;
}

/**
 * The stages that the targets of several platforms need, for each platform in order of the file, which is an order of
 * dependencies. Base images come first, since their configuration (environment, user, shell, triggers) decides the steps,
 * and all of them at a time; a trigger can bring in further stages, whose bases are then next.
 */
export async function planReachable(
  graphs: readonly PlatformGraph[],
  options: PlanStagesOptions,
): Promise<Array<readonly ReadyStage[]>> {
  const plans = graphs.map(({ graph, planOptions }) => ({
    graph,
    planOptions,
    wanted: new Set(options.all ? graph.stages.keys() : [graph.target]),
    ready: new Map<number, ReadyStage>(),
  }));
  for (;;) {
    const rounds = plans.map(({ graph, wanted, ready }) => reachableStages(graph, wanted).filter(i => !ready.has(i)));
    if (rounds.every(round => round.length === 0)) break;
    const bases = plans.flatMap(({ graph }, i) => rounds[i]!.flatMap(index => baseUse(graph, index, options.contexts)));
    await openImages(bases, options.opened, options);
    for (const [i, { graph, planOptions, wanted, ready }] of plans.entries()) {
      for (const index of rounds[i]!) {
        const stage = readyStage(graph, planOptions, index, ready, options);
        ready.set(index, stage);
        for (const needed of stage.plan.stages) wanted.add(needed);
      }
    }
  }
  return plans.map(({ ready }) => [...ready.values()].sort((a, b) => a.index - b.index));
}

/** The image that has to be opened before a stage can be planned, if there is one. */
function baseUse(graph: StageGraph, index: number, contexts: NamedContexts): ImageUse[] {
  const { base, platform, range } = graph.stages[index]!;
  return base.kind === 'image' ? imageUse(base.reference, platform, range, contexts) : [];
}

/** The use of a name that may as well be that of a context with files. */
export function imageUse(
  name: string,
  platform: ImageUse['platform'],
  range: SourceRange,
  contexts: NamedContexts,
): ImageUse[] {
  const context = findNamedContext(contexts, name, platform)?.context;
  return context === undefined || context.kind === 'image' ? [{ name, platform, range }] : [];
}

function readyStage(
  graph: StageGraph,
  planOptions: PlanOptions,
  index: number,
  ready: ReadonlyMap<number, ReadyStage>,
  options: PlanStagesOptions,
): ReadyStage {
  const { range } = graph.stages[index]!;
  const base = openedBase(graph, index, options);
  try {
    const plan = planStage(graph, index, baseInput(graph, index, base, ready), planOptions);
    return { index, plan, base };
  } catch (error) {
    throw withExcerpt(error, range, options.text);
  }
}

function openedBase(graph: StageGraph, index: number, { contexts, opened }: PlanStagesOptions): ReadyStage['base'] {
  const { base, platform } = graph.stages[index]!;
  if (base.kind !== 'image') return base;
  const found = findNamedContext(contexts, base.reference, platform);
  if (found !== undefined && found.context.kind !== 'image') {
    return { kind: 'context', name: found.name, context: found.context };
  }
  return { kind: 'image', image: opened.get(imageKey(base.reference, platform))! };
}

function baseInput(
  graph: StageGraph,
  index: number,
  base: ReadyStage['base'],
  ready: ReadonlyMap<number, ReadyStage>,
): BaseInput {
  const { platform } = graph.stages[index]!;
  switch (base.kind) {
    case 'stage':
      return { state: ready.get(base.stage)!.plan.state, fromImage: false };
    case 'image':
      return { state: stateFromImage(base.image.config, platform), fromImage: true };
    default:
      return { state: scratchState(platform), fromImage: false };
  }
}
