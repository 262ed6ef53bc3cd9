import { layerRecord } from '../cache/layer-record.js';
import { type RecordValue, recordKey } from '../cache/record.js';
import type { StepCache, StepOrigin } from '../cache/step-cache.js';
import { diffRuns } from '../layer/diff.js';
import type { LayerItem } from '../layer/file-run.js';
import type { LayerStore, PackedLayer, SegmentCounts } from '../layer/layer-store.js';
import type { Compression } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import { lazy } from '../stream/lazy.js';
import { applyLayer } from '../tree/apply-layer.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';
import type { Timestamps } from './copy/clamp.js';
import type { FileAccess } from './file-access.js';
import type { LayerWork } from './layer-work.js';
import type { LazyTree } from './lazy-tree.js';

export interface CommitOptions extends CallOptions {
  readonly store: LayerStore;
  readonly cache: StepCache;
  readonly layers: LayerWork;
  readonly files: FileAccess;
  readonly compression: Compression;
  readonly level?: number | undefined;
  readonly timestamps: Timestamps;
  /** Pack even when the cache has the layer. */
  readonly fresh: boolean;
  /** What the same step made the last time, to take over what of it is the same; see {@link latestLayer}. */
  readonly similar?: LayerRef | undefined;
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export interface CommittedLayer {
  readonly layer: LayerRef;
  readonly cached: boolean;
  /** Of one that was packed for this step. */
  readonly segments?: SegmentCounts | undefined;
  /** What it was put on, with the layer on top: its files are now read from the layer. */
  readonly tree: LazyTree;
}

/** The layer that the same step made the last time, as far as the cache knows. */
export function latestLayer(cache: StepCache, origin: StepOrigin, options: CallOptions): Promise<LayerRef | undefined> {
  return cache.get(slotOf(origin), options);
}

/** Notes that a step has come to this layer, unless `latest` says so. */
export async function noteLatest(
  cache: StepCache,
  origin: StepOrigin,
  layer: LayerRef,
  latest: LayerRef | undefined,
  options: CallOptions,
): Promise<void> {
  if (latest?.blob.digest !== layer.blob.digest) await cache.put(slotOf(origin), layer, origin, options);
}

function slotOf({ slot, title }: StepOrigin): RecordValue {
  return { kind: 'latest', ...slot, title };
}

/** A tree with a layer on top, whose files are read from the layer. */
export function withLayer(
  below: LazyTree,
  layer: LayerRef,
  { store, timestamps }: Pick<CommitOptions, 'store' | 'timestamps'>,
): LazyTree {
  const exact = timestamps === 'exact';
  return lazy(async () => applyLayer(await below(), await store.layerIndex(layer), layer, exact));
}

/**
 * Makes the layer that turns `before` into `after` and puts it on top of `below` (which is `before`, but for layers that
 * are made apart from what they go on). Layers are functions of their entries, so one packed before is taken as it is, and
 * one that several steps of the build come to is packed by the first of them.
 *
 * Files are read once: where their digests are not known, they come out of the packing, and the layer is looked up behind
 * it. Only when the same step has been carried out before, and most of the layer can be expected to be the same, are they
 * hashed first: then nothing is packed, or what has not changed is taken over from the earlier layer.
 */
export async function commitLayer(
  below: LazyTree,
  before: DirectoryNode,
  after: DirectoryNode,
  origin: StepOrigin,
  options: CommitOptions,
): Promise<CommittedLayer> {
  const { store, cache, layers, files, compression, level, fresh, similar, signal, onProgress } = options;
  const { spans } = files;
  if (similar === undefined) await files.ready({ signal });
  const look = (record: RecordValue): Promise<LayerRef | undefined> =>
    layers.find(recordKey(record), () => cache.get(record, { signal }));
  let segments: SegmentCounts | undefined;
  const keep = async (record: RecordValue, packed: PackedLayer): Promise<LayerRef> => {
    segments = packed.segments;
    await cache.put(record, packed.layer, origin, { signal });
    return packed.layer;
  };
  const result = async (layer: LayerRef, cached: boolean): Promise<CommittedLayer> => {
    await noteLatest(cache, origin, layer, similar, { signal });
    return { layer, cached, segments, tree: withLayer(below, layer, options) };
  };

  // Walked anew each time that they are needed: kept, those of a large tree would be most of the memory of a build.
  const entries = { [Symbol.iterator]: () => storedItems(before, after) };
  // Others that read some of the same files will know their digests: they are read once.
  for (let readers = files.readersOf(entries); readers.length > 0; readers = files.readersOf(entries)) {
    await Promise.allSettled(readers);
  }
  // With an earlier layer to take over from, what is not known is read first; without one, while it is packed.
  // Without, nothing is awaited from the look for readers on: of steps at the same time each must see those before it.
  const plan =
    similar === undefined && !files.knowsAll(entries)
      ? undefined
      : await store.planLayer(entries, {
          ...{ compression, level, similar, spans, signal },
          ready: () => files.spansReady({ signal }),
          readDigest: files.readDigest.bind(files),
          learn: unknown => files.learnAll(unknown, { signal }),
        });
  if (plan === undefined) {
    const onFile = files.learn.bind(files);
    const pack = (noted: Iterable<LayerItem>): Promise<PackedLayer> =>
      store.packLayer(noted, { compression, level, spans, signal, onProgress, onFile });
    const packed = await files.reading(entries, noted => layers.pack(() => pack(noted)));
    const record = layerRecord(packed.contents);
    const stored = fresh ? undefined : await look(record);
    if (stored === undefined) await layers.make(recordKey(record), () => keep(record, packed));
    return result(packed.layer, stored !== undefined);
  }
  try {
    const record = layerRecord(plan.contents);
    const stored = await look(record);
    if (stored !== undefined && !fresh) return await result(stored, true);
    const make = async (): Promise<LayerRef> => keep(record, await plan.pack({ onProgress }));
    return await result(await layers.make(recordKey(record), make), false);
  } finally {
    await plan.close();
  }
}

function* storedItems(before: DirectoryNode, after: DirectoryNode): Generator<LayerItem> {
  for (const item of diffRuns(before, after)) yield storedItem(item);
}

/** The entry as it goes into a layer: of extended attributes only the capabilities, as BuildKit's layers have them. */
function storedItem(item: LayerItem): LayerItem {
  if (!('node' in item) || item.node.xattrs === undefined) return item;
  const { path, node } = item;
  const capability = node.xattrs?.['security.capability'];
  const xattrs = capability === undefined ? undefined : { 'security.capability': capability };
  return { path, node: { ...node, xattrs } };
}
