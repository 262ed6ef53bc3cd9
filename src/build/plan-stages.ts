import { formatExcerpt } from '../dockerfile/excerpt.js';
import { atPlace, isLadingError, type SourceRange } from '../errors/errors.js';
import type { Image } from '../image/image.js';
import type { BaseInput, PlanOptions, StageGraph } from '../plan/graph.js';
import { planStage, scratchState, stateFromImage } from '../plan/lower.js';
import type { StagePlan } from '../plan/step.js';
import type { CallOptions } from '../stream/bytes.js';
import { type BaseImages, findNamedContext, type NamedContext, type NamedContexts } from './inputs.js';

/** A stage ready to be carried out: its steps, and the image that it starts from when that is no earlier stage. */
export interface ReadyStage {
  readonly index: number;
  readonly plan: StagePlan;
  readonly base:
    | { readonly kind: 'scratch' }
    | { readonly kind: 'stage'; readonly stage: number }
    | { readonly kind: 'image'; readonly image: Image }
    | Extract<NamedContext, { kind: 'directory' }>;
}

export interface PlanInputs extends CallOptions {
  readonly text: string;
  readonly graph: StageGraph;
  readonly planOptions: PlanOptions;
  readonly images: BaseImages;
  readonly contexts: NamedContexts;
  /** Plan stages that the target does not need as well. */
  readonly all?: boolean | undefined;
}

/**
 * The stages that the target needs, each after those it needs itself. Base images are fetched on the way, since their
 * configuration (environment, user, shell, triggers) decides the steps; a trigger can bring in further stages.
 */
export async function planReachable(inputs: PlanInputs): Promise<ReadyStage[]> {
  const ready = new Map<number, ReadyStage>();
  const visit = async (index: number): Promise<ReadyStage> => {
    const known = ready.get(index);
    if (known !== undefined) return known;
    const stage = inputs.graph.stages[index]!;
    const { base, input } = await placed(inputs, stage.range, async () => {
      const base = await openBase(inputs, index);
      return { base, input: await baseInput(inputs, index, base, visit) };
    });
    const plan = await placed(inputs, stage.range, async () =>
      planStage(inputs.graph, index, input, inputs.planOptions),
    );
    for (const needed of plan.stages) await visit(needed);
    const result = { index, plan, base };
    ready.set(index, result);
    return result;
  };
  const wanted = inputs.all ? inputs.graph.stages.map(({ index }) => index) : [inputs.graph.target];
  for (const index of wanted) await visit(index);
  return [...ready.values()];
}

async function openBase(inputs: PlanInputs, index: number): Promise<ReadyStage['base']> {
  const { graph, contexts, images, signal } = inputs;
  const { base, platform } = graph.stages[index]!;
  const context = base.kind === 'image' ? findNamedContext(contexts, base.reference) : undefined;
  if (context?.kind === 'directory') return context;
  if (context !== undefined) return { kind: 'image', image: await context.open(platform, { signal }) };
  if (base.kind !== 'image') return base;
  return { kind: 'image', image: await images.open(base.reference, platform, { signal }) };
}

async function baseInput(
  inputs: PlanInputs,
  index: number,
  base: ReadyStage['base'],
  visit: (index: number) => Promise<ReadyStage>,
): Promise<BaseInput> {
  const { platform } = inputs.graph.stages[index]!;
  switch (base.kind) {
    case 'stage':
      return { state: (await visit(base.stage)).plan.state, fromImage: false };
    case 'image':
      return { state: stateFromImage(base.image.config, platform), fromImage: true };
    default:
      return { state: scratchState(platform), fromImage: false };
  }
}

async function placed<T>(inputs: PlanInputs, range: SourceRange, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw withExcerpt(error, range, inputs.text);
  }
}

/** The failure with the lines of the Dockerfile that it comes from. */
export function withExcerpt(error: unknown, range: SourceRange, text: string): unknown {
  const known = isLadingError(error) ? error.place : undefined;
  const at = known?.range ?? range;
  return atPlace(error, { range: at, excerpt: formatExcerpt(text, at, known?.also) });
}
