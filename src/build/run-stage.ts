import type { StepCache } from '../cache/step-cache.js';
import { LadingError } from '../errors/errors.js';
import type { HistoryEntry } from '../oci/config.js';
import type { Compression } from '../oci/media-types.js';
import { formatTime } from '../oci/time.js';
import type { CopyStep, Step } from '../plan/step.js';
import type { CallOptions } from '../stream/bytes.js';
import { TreeEditor } from '../tree/editor.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';
import { commitLayer } from './commit-layer.js';
import { Copier } from './copy/copier.js';
import { type CopySource, copyStep, type TreeChange } from './copy-step.js';
import type { BuildEvent, StepInfo } from './event.js';
import type { FileAccess } from './file-access.js';
import { hostTree } from './host-tree.js';
import type { BuildStore, RemoteFiles } from './inputs.js';
import { type ReadyStage, withExcerpt } from './plan-stages.js';
import { emptyRoot, layersOfImage, treeOfLayers } from './stage-files.js';
import { workdirStep } from './workdir-step.js';

/** A stage carried out: its files, and what of it goes into an image. */
export interface StageResult {
  readonly tree: DirectoryNode;
  /** Oldest first, those of the base included. */
  readonly layers: readonly LayerRef[];
  readonly history: readonly HistoryEntry[];
}

export interface StageOptions extends CallOptions {
  readonly text: string;
  readonly store: BuildStore;
  readonly cache: StepCache;
  readonly files: FileAccess;
  readonly compression: Compression;
  readonly level?: number | undefined;
  readonly noCache: boolean;
  readonly epoch: number;
  readonly clamp: (mtime: number) => number;
  readonly temporary: string;
  readonly remote: RemoteFiles;
  /** The result of an earlier stage. */
  readonly stage: (index: number) => StageResult;
  readonly copySource: (step: CopyStep) => Promise<CopySource>;
  readonly describe: (step: Step) => StepInfo;
  readonly onEvent: (event: BuildEvent) => void;
}

export const historyComment = 'buildkit.dockerfile.v0';

/** Carries out the steps of one stage, in order, on what it starts from. */
export async function runStage(stage: ReadyStage, options: StageOptions): Promise<StageResult> {
  let result = await startStage(stage, options);
  for (const step of stage.plan.steps) {
    options.signal?.throwIfAborted();
    try {
      result = await runStep(step, result, options);
    } catch (error) {
      throw withExcerpt(error, step.range, options.text);
    }
  }
  return result;
}

async function startStage(stage: ReadyStage, options: StageOptions): Promise<StageResult> {
  const { base } = stage;
  switch (base.kind) {
    case 'scratch':
      return { tree: emptyRoot, layers: [], history: [] };
    case 'stage':
      return options.stage(base.stage);
    case 'image': {
      const layers = layersOfImage(base.image);
      const tree = await treeOfLayers(layers, options.store, options);
      return { tree, layers, history: reconciledHistory(base.image.config.history ?? [], layers.length) };
    }
    case 'directory':
      return await startFromDirectory(base, options);
  }
}

/** FROM a named context that is a folder: an image of one layer with what the folder's ignore file lets through. */
async function startFromDirectory(
  { path, ignore }: Extract<ReadyStage['base'], { kind: 'directory' }>,
  options: StageOptions,
): Promise<StageResult> {
  const editor = new TreeEditor(emptyRoot);
  new Copier(editor, options).copy(hostTree(path, ignore), '', '/');
  const origin = { title: `FROM ${path}`, file: path, line: 0 };
  const { layer, tree } = await commitLayer(emptyRoot, emptyRoot, editor.root, origin, {
    ...options,
    fresh: options.noCache,
  });
  return { tree, layers: [layer], history: reconciledHistory([], 1) };
}

async function runStep(step: Step, result: StageResult, options: StageOptions): Promise<StageResult> {
  const info = options.describe(step);
  options.onEvent({ kind: 'step-started', step: info });
  const entry = { created: formatTime(options.epoch), created_by: step.createdBy, comment: historyComment };
  if (step.kind === 'config') {
    options.onEvent({ kind: 'step-done', step: info, cached: false });
    return { ...result, history: [...result.history, { ...entry, empty_layer: true }] };
  }
  const { before, after } = await changeOf(step, info, result, options);
  const origin = { title: step.title, file: step.range.file, line: step.range.start.line };
  const committed = await commitLayer(result.tree, before, after, origin, {
    ...options,
    fresh: options.noCache,
    onProgress: bytes => options.onEvent({ kind: 'step-progress', step: info, bytes }),
  });
  options.onEvent({ kind: 'step-done', step: info, cached: committed.cached, layer: committed.layer });
  return { tree: committed.tree, layers: [...result.layers, committed.layer], history: [...result.history, entry] };
}

async function changeOf(
  step: Exclude<Step, { kind: 'config' }>,
  info: StepInfo,
  result: StageResult,
  options: StageOptions,
): Promise<TreeChange> {
  switch (step.kind) {
    case 'workdir':
      return { before: result.tree, after: await workdirStep(result.tree, step, options) };
    case 'copy':
      return await copyStep(result.tree, step, await options.copySource(step), {
        ...options,
        onFetch: (url, bytes, total) => options.onEvent({ kind: 'step-fetch', step: info, url, bytes, total }),
      });
    case 'run':
      throw new LadingError('RUN_UNAVAILABLE', `${step.title}: RUN cannot be executed in this build`, {
        details: { range: step.range, missing: 'a way to take the changes of a process into a layer' },
      });
  }
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
