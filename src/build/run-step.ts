import type { StepCache, StepOrigin } from '../cache/step-cache.js';
import { redactQueries } from '../errors/redact.js';
import { emptyRoot } from '../layer/tree-of-layers.js';
import type { HistoryEntry } from '../oci/config.js';
import type { Compression } from '../oci/media-types.js';
import { formatPlatform } from '../oci/platform.js';
import { formatTime } from '../oci/time.js';
import type { CallOptions } from '../stream/bytes.js';
import { lazy } from '../stream/lazy.js';
import { TreeEditor } from '../tree/editor.js';
import type { LayerRef } from '../tree/node.js';
import { commitLayer, latestLayer } from './commit-layer.js';
import { clampTo, type Timestamps } from './copy/clamp.js';
import { Copier } from './copy/copier.js';
import type { CopySources } from './copy-sources.js';
import type { CopySource } from './copy-step.js';
import type { BuildEvent } from './event.js';
import type { FileAccess } from './file-access.js';
import type { BuildStore, GitRepositories, RemoteFiles } from './inputs.js';
import type { LayerWork } from './layer-work.js';
import type { LazyTree } from './lazy-tree.js';
import type { BindFolders } from './run/bind-folders.js';
import type { CommandSettings } from './run/command-settings.js';
import { layersOfImage } from './stage-files.js';
import { stepLayer } from './step-layer.js';
import { withExcerpt } from './with-excerpt.js';
import type { StartWork, StepWork, Work } from './work-graph.js';

/** A stage as far as it is carried out: its files, and what of it goes into an image. */
export interface StageResult {
  readonly tree: LazyTree;
  /** Oldest first, those of the base included. */
  readonly layers: readonly LayerRef[];
  /** How many of them were there before: those of the image that it all starts from. */
  readonly baseLayers: number;
  readonly history: readonly HistoryEntry[];
  /** When the last thing was done to it, in a base image as well; absent where nothing is known to have been. */
  readonly created?: string | undefined;
}

export interface RunOptions extends CallOptions {
  readonly text: string;
  /** What tells this build from those of other Dockerfiles and contexts. */
  readonly slot: StepOrigin['slot'];
  readonly store: BuildStore;
  readonly cache: StepCache;
  readonly layers: LayerWork;
  readonly files: FileAccess;
  readonly sources: CopySources;
  readonly compression: Compression;
  readonly level?: number | undefined;
  readonly timestamps: Timestamps;
  /** In ms since 1970, not later than the first file is looked at. */
  readonly now: number;
  readonly temporary: string;
  readonly remote: RemoteFiles;
  readonly git: GitRepositories;
  readonly commands: { readonly settings: CommandSettings; readonly folders: BindFolders };
  /** The result of what is done. */
  readonly result: (work: Work) => StageResult;
  readonly onEvent: (event: BuildEvent) => void;
}

export const historyComment = 'buildkit.dockerfile.v0';

/** Makes what a stage starts from. */
export async function runStart({ base, range, epoch, fresh }: StartWork, options: RunOptions): Promise<StageResult> {
  switch (base.kind) {
    case 'scratch':
      return { tree: async () => emptyRoot, layers: [], baseLayers: 0, history: [] };
    case 'image': {
      const layers = layersOfImage(base.image);
      const tree = lazy(() => options.sources.image(base.image, options));
      const history = reconciledHistory(base.image.config.history ?? [], layers.length);
      return { tree, layers, baseLayers: layers.length, history, created: base.image.config.created };
    }
    case 'context':
      try {
        return await startFromContext(await options.sources.named(base, options), base.name, {
          ...options,
          epoch,
          fresh,
        });
      } catch (error) {
        throw withExcerpt(error, range, options.text);
      }
  }
}

/** FROM a named context that is no image: an image of one layer with its files. */
async function startFromContext(
  source: CopySource,
  name: string,
  options: RunOptions & { readonly epoch: number; readonly fresh: boolean },
): Promise<StageResult> {
  const editor = new TreeEditor(emptyRoot);
  const copier = new Copier(editor, { epoch: options.epoch, clamp: clampTo(options.epoch, options.timestamps) });
  copier.copy(source.root, '', '/');
  const slot = { ...options.slot, stage: null };
  const origin = { title: `FROM ${name}`, file: source.label, line: 0, slot };
  const similar = options.fresh ? undefined : await latestLayer(options.cache, origin, options);
  const committing = { ...options, similar };
  const { layer, tree } = await commitLayer(async () => emptyRoot, emptyRoot, editor.root, origin, committing);
  return { tree, layers: [layer], baseLayers: 0, history: reconciledHistory([], 1) };
}

/** Carries out one step, and tells of it. */
export async function runStep(work: StepWork, options: RunOptions): Promise<StageResult> {
  const { step, info } = work;
  const { onEvent, signal, text } = options;
  signal?.throwIfAborted();
  onEvent({ kind: 'step-started', step: info });
  try {
    const { result, ...done } = await carriedOut(work, options);
    onEvent({ kind: 'step-done', step: info, ...done });
    return result;
  } catch (error) {
    onEvent({ kind: 'step-failed', step: info, cancelled: signal?.aborted ?? false });
    throw withExcerpt(error, step.range, text);
  }
}

type StepDone = Extract<BuildEvent, { readonly kind: 'step-done' }>;

async function carriedOut(
  work: StepWork,
  options: RunOptions,
): Promise<{ readonly result: StageResult } & Pick<StepDone, 'cached' | 'layer' | 'segments'>> {
  const { step, info, below, epoch } = work;
  const before = options.result(below);
  const created = formatTime(epoch);
  const entry = { created, created_by: step.createdBy, comment: historyComment };
  if (step.kind === 'config') {
    const history = [...before.history, { ...entry, empty_layer: true }];
    return { result: { ...before, history, created }, cached: false };
  }
  const slot = { ...options.slot, stage: info.stage ?? null, platforms: info.platforms?.map(formatPlatform) };
  const origin = { title: redactQueries(step.title), file: step.range.file, line: step.range.start.line, slot };
  const telling = {
    ...options,
    onProgress: (bytes: number) => options.onEvent({ kind: 'step-progress', step: info, bytes }),
  };
  const { layer, tree, cached, segments } =
    step.kind === 'run'
      ? await (await import('./run/command-step.js')).commandStep(step, work, before, origin, telling)
      : await stepLayer(step, work, before, origin, telling);
  const result = { ...before, tree, layers: [...before.layers, layer], history: [...before.history, entry], created };
  return { result, cached, layer, segments };
}

/**
 * The history of a base made to agree with its layers, as BuildKit does it: layers that no entry speaks of get one, and
 * entries past the last layer are marked empty.
 */
function reconciledHistory(history: readonly HistoryEntry[], layers: number): readonly HistoryEntry[] {
  let seen = 0;
  const marked = history.map(entry => {
    if (entry.empty_layer) return entry;
    seen += 1;
    return seen > layers ? { ...entry, empty_layer: true } : entry;
  });
  const missing = Math.max(0, layers - seen);
  return [...marked, ...Array.from({ length: missing }, () => ({ comment: 'buildkit.exporter.image.v0' }))];
}
