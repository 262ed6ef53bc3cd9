import { type RecordValue, recordKey } from '../cache/record.js';
import type { SourceRange } from '../errors/errors.js';
import type { Image } from '../image/image.js';
import { formatPlatformFull, type Platform } from '../oci/platform.js';
import type { FileOrigin, Step } from '../plan/step.js';
import { stepOrigins } from '../plan/step-origins.js';
import type { StepInfo } from './event.js';
import { type FilesContext, findNamedContext, type NamedContexts } from './inputs.js';
import { imageKey, type OpenedImages } from './open-images.js';
import type { PlannedPlatform } from './plan-build.js';
import type { ReadyStage } from './plan-stages.js';
import { numberedSteps } from './step-info.js';

/** One piece of a build: what a stage starts from, or one of its steps on what stands before it. */
export type Work = StartWork | StepWork;

interface WorkBase extends WorkSettings {
  /** Of all that decides the result: pieces with equal keys are one piece, whatever platforms they are for. */
  readonly key: string;
  /** What must be done before. */
  readonly needs: readonly Work[];
}

interface WorkSettings {
  /** Seconds since 1970. */
  readonly epoch: number;
  /** Whether layers are made again although the cache has them. */
  readonly fresh: boolean;
}

export interface StartWork extends WorkBase {
  readonly kind: 'start';
  readonly base: Exclude<ReadyStage['base'], { readonly kind: 'stage' }>;
  /** Of FROM. */
  readonly range: SourceRange;
}

export interface StepWork extends WorkBase {
  readonly kind: 'step';
  readonly below: Work;
  readonly step: Step;
  /** Where its files come from, in the order in which it names them. */
  readonly sources: readonly WorkSource[];
  /** What is executed is for it: files are the same everywhere. */
  readonly platform: Platform;
  readonly info: StepInfo;
}

/** Where a step takes files from. */
export type WorkSource =
  | { readonly kind: 'scratch' | 'context' }
  | { readonly kind: 'work'; readonly work: Work; readonly stage: string }
  | { readonly kind: 'image'; readonly image: Image; readonly name: string }
  | ({ readonly kind: 'named' } & FilesContext);

export interface WorkGraph {
  /** Each after what it needs: platform by platform, and there in order of the file. */
  readonly work: readonly Work[];
  /** What the target of each platform ends with. */
  readonly targets: readonly Work[];
}

export interface WorkGraphInputs {
  readonly opened: OpenedImages;
  readonly contexts: NamedContexts;
  readonly epoch: (platform: PlannedPlatform) => number;
  /** Told the name of a stage. */
  readonly fresh: (stage: string | undefined) => boolean;
}

/** What has to be done for a build; what is the same on several platforms is one piece. */
export function workGraph(planned: readonly PlannedPlatform[], inputs: WorkGraphInputs): WorkGraph {
  const pieces = new Map<string, Work>();
  const platforms = new Map<string, Platform[]>();
  let steps = 0;
  const intern = (key: string, make: () => Work): Work => {
    const piece = pieces.get(key) ?? make();
    pieces.set(key, piece);
    return piece;
  };
  const targets = planned.map(plan => {
    const ends = new Map<number, Work>();
    for (const stage of plan.stages) {
      const { name, range } = plan.graph.stages[stage.index]!;
      const settings = { epoch: inputs.epoch(plan), fresh: inputs.fresh(name) };
      let top = startOf(stage, range, settings, ends, intern);
      for (const { step, place } of numberedSteps(plan.graph, stage)) {
        const below = top;
        const sources = stepOrigins(step).map(origin => sourceOf(origin, plan, ends, inputs));
        const key = stepKey(step, stage, below, sources, settings);
        const shownFor = platforms.get(key) ?? [];
        shownFor.push(plan.platform);
        platforms.set(key, shownFor);
        top = intern(key, () => {
          steps += 1;
          const info = { id: steps, ...place, ...(planned.length > 1 ? { platforms: shownFor } : {}) };
          const needs = [below, ...sources.flatMap(source => (source.kind === 'work' ? [source.work] : []))];
          const { platform } = stage.plan.state;
          return { kind: 'step', key, needs, below, step, sources, platform, info, ...settings };
        });
      }
      ends.set(stage.index, top);
    }
    return ends.get(plan.graph.target)!;
  });
  return { work: [...pieces.values()], targets };
}

function startOf(
  { base }: ReadyStage,
  range: SourceRange,
  settings: WorkSettings,
  ends: ReadonlyMap<number, Work>,
  intern: (key: string, make: () => Work) => Work,
): Work {
  if (base.kind === 'stage') return ends.get(base.stage)!;
  const key = recordKey({ start: startRecord(base), ...settings });
  return intern(key, () => ({ kind: 'start', key, needs: [], base, range, ...settings }));
}

function startRecord(base: StartWork['base']): RecordValue {
  switch (base.kind) {
    case 'scratch':
      return { kind: 'scratch' };
    case 'image':
      return { kind: 'image', digest: base.image.descriptor.digest };
    case 'context':
      return { kind: 'context', name: base.name };
  }
}

/** A step is plain data. Its range is in it, so that stages of the file stay apart where they are shown. */
function stepKey(
  step: Step,
  { plan }: ReadyStage,
  below: Work,
  sources: readonly WorkSource[],
  settings: WorkSettings,
): string {
  return recordKey({
    below: below.key,
    step: step as unknown as RecordValue,
    sources: sources.map(sourceRecord),
    // Files are the same everywhere; what is executed is not.
    platform: step.kind === 'run' ? formatPlatformFull(plan.state.platform) : undefined,
    ...settings,
  });
}

function sourceRecord(source: WorkSource): RecordValue {
  switch (source.kind) {
    case 'scratch':
    case 'context':
      return { kind: source.kind };
    case 'work':
      return { kind: 'work', key: source.work.key };
    case 'image':
      return { kind: 'image', digest: source.image.descriptor.digest };
    case 'named':
      return { kind: 'named', name: source.name };
  }
}

function sourceOf(
  origin: FileOrigin,
  { graph, platform }: PlannedPlatform,
  ends: ReadonlyMap<number, Work>,
  { contexts, opened }: WorkGraphInputs,
): WorkSource {
  switch (origin.kind) {
    case 'scratch':
    case 'context':
      return { kind: origin.kind };
    case 'stage': {
      const stage = graph.stages[origin.stage]!.name ?? String(origin.stage);
      return { kind: 'work', work: ends.get(origin.stage)!, stage };
    }
    case 'named': {
      const { name } = origin;
      const found = findNamedContext(contexts, name, platform);
      if (found !== undefined && found.context.kind !== 'image') {
        return { kind: 'named', name: found.name, context: found.context };
      }
      // For the platform of the build, whatever that of the stage.
      return { kind: 'image', image: opened.get(imageKey(name, platform))!, name };
    }
  }
}
