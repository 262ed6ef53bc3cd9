import { layerRecord } from '../cache/layer-record.js';
import { type RecordValue, recordKey } from '../cache/record.js';
import type { StepCache, StepOrigin } from '../cache/step-cache.js';
import { diffTrees } from '../layer/diff.js';
import type { LayerEntry } from '../layer/entry.js';
import { emptyDigest } from '../layer/file-digest.js';
import { indexEntry } from '../layer/index-entry.js';
import type { LayerStore, PackedLayer } from '../layer/layer-store.js';
import { segmentFormat } from '../layer/segment-format.js';
import type { Compression } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import { applyLayer } from '../tree/apply-layer.js';
import type { IndexEntry, LayerIndex } from '../tree/layer-index.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';
import type { FileAccess } from './file-access.js';
import type { LayerWork } from './layer-work.js';

export interface CommitOptions extends CallOptions {
  readonly store: LayerStore;
  readonly cache: StepCache;
  readonly layers: LayerWork;
  readonly files: FileAccess;
  readonly compression: Compression;
  readonly level?: number | undefined;
  /** Pack even when the cache has the layer, and take nothing over from an earlier one. */
  readonly fresh: boolean;
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export interface CommittedLayer {
  readonly layer: LayerRef;
  readonly cached: boolean;
  /** `below` with the layer on top: its files are now read from the layer. */
  readonly tree: DirectoryNode;
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
  below: DirectoryNode,
  before: DirectoryNode,
  after: DirectoryNode,
  origin: StepOrigin,
  options: CommitOptions,
): Promise<CommittedLayer> {
  const { store, cache, layers, files, compression, level, fresh, signal, onProgress } = options;
  const { recipe } = segmentFormat(compression, level);
  const slot = { kind: 'latest', ...origin.slot, title: origin.title };
  const similar = fresh ? undefined : await cache.get(slot, { signal });
  const look = (record: RecordValue): Promise<LayerRef | undefined> =>
    layers.find(recordKey(record), () => cache.get(record, { signal }));
  const pack = (entries: readonly LayerEntry[]): Promise<PackedLayer> =>
    store.packLayer(entries, { compression, level, similar, signal, onProgress });
  const keep = async (record: RecordValue, layer: LayerRef): Promise<LayerRef> => {
    await cache.put(record, layer, origin, { signal });
    await cache.put(slot, layer, origin, { signal });
    return layer;
  };
  const result = async (layer: LayerRef, cached: boolean, index?: LayerIndex): Promise<CommittedLayer> => {
    const found = index ?? (await store.layerIndex(layer, { signal }));
    return { layer, cached, tree: applyLayer(below, found, layer) };
  };

  const entries = diffTrees(before, after).map(storedEntry);
  // Others that read some of the same files will know their digests: they are read once.
  for (let readers = files.readersOf(entries); readers.length > 0; readers = files.readersOf(entries)) {
    await Promise.allSettled(readers);
  }
  if (similar === undefined && !files.know(entries)) {
    const { layer, index } = await files.reading(entries, () => layers.pack(() => pack(entries)));
    const record = layerRecord(index.entries, recipe);
    const known = fresh ? undefined : await look(record);
    if (known === undefined) await layers.make(recordKey(record), () => keep(record, layer));
    return await result(layer, known !== undefined, index);
  }
  const settled = await files.withDigests(entries, { signal });
  const record = layerRecord(recordedEntries(settled), recipe);
  const known = await look(record);
  if (known !== undefined && !fresh) return await result(known, true);
  let index: LayerIndex | undefined;
  const layer = await layers.make(recordKey(record), async () => {
    const packed = await pack(settled);
    index = packed.index;
    return await keep(record, packed.layer);
  });
  return await result(layer, false, index);
}

/** The entry as it goes into a layer: of extended attributes only the capabilities, as BuildKit's layers have them. */
function storedEntry(entry: LayerEntry): LayerEntry {
  if (!('node' in entry) || entry.node.xattrs === undefined) return entry;
  const { path, node } = entry;
  const capability = node.xattrs?.['security.capability'];
  const xattrs = capability === undefined ? undefined : { 'security.capability': capability };
  return { path, node: { ...node, xattrs } };
}

function* recordedEntries(entries: readonly LayerEntry[]): Generator<IndexEntry> {
  for (const entry of entries) {
    if (entry.path === '') continue;
    const digest = 'node' in entry && entry.node.type === 'file' ? entry.node.digest : undefined;
    yield indexEntry(entry, 0, digest ?? emptyDigest);
  }
}
