import { layerRecord } from '../cache/layer-record.js';
import { type RecordValue, recordKey } from '../cache/record.js';
import type { StepCache, StepOrigin } from '../cache/step-cache.js';
import { diffTrees } from '../layer/diff.js';
import type { LayerEntry } from '../layer/entry.js';
import { emptyDigest } from '../layer/file-digest.js';
import { indexEntry } from '../layer/index-entry.js';
import type { LayerStore, PackedLayer } from '../layer/layer-store.js';
import { segmentFormat } from '../layer/segment-format.js';
import type { Digest } from '../oci/digest.js';
import type { Compression } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import { applyLayer } from '../tree/apply-layer.js';
import type { IndexEntry, LayerIndex } from '../tree/layer-index.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';
import { type FileAccess, lacksDigests } from './file-access.js';
import type { LayerWork } from './layer-work.js';
import { type LazyTree, lazyTree } from './lazy-tree.js';

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
  /** What it was put on, with the layer on top: its files are now read from the layer. */
  readonly tree: LazyTree;
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
  const result = (layer: LayerRef, cached: boolean, index?: LayerIndex): CommittedLayer => {
    const tree = lazyTree(async () => applyLayer(await below(), index ?? (await store.layerIndex(layer)), layer));
    return { layer, cached, tree };
  };

  const entries = diffTrees(before, after).map(storedEntry);
  // Others that read some of the same files will know their digests: they are read once.
  for (let readers = files.readersOf(entries); readers.length > 0; readers = files.readersOf(entries)) {
    await Promise.allSettled(readers);
  }
  const known = files.knownDigests(entries);
  const unknown = lacksDigests(entries, known);
  if (similar === undefined && unknown) {
    const { layer, index } = await files.reading(entries, () => layers.pack(() => pack(entries)));
    const record = layerRecord(index.entries, recipe);
    const stored = fresh ? undefined : await look(record);
    if (stored === undefined) await layers.make(recordKey(record), () => keep(record, layer));
    return result(layer, stored !== undefined, index);
  }
  const digests = unknown ? await files.digests(entries, known, { signal }) : known;
  const record = layerRecord(recordedEntries(entries, digests), recipe);
  const stored = await look(record);
  if (stored !== undefined && !fresh) return result(stored, true);
  let index: LayerIndex | undefined;
  const layer = await layers.make(recordKey(record), async () => {
    const packed = await pack(withDigests(entries, digests));
    index = packed.index;
    return await keep(record, packed.layer);
  });
  return result(layer, false, index);
}

/** The entry as it goes into a layer: of extended attributes only the capabilities, as BuildKit's layers have them. */
function storedEntry(entry: LayerEntry): LayerEntry {
  if (!('node' in entry) || entry.node.xattrs === undefined) return entry;
  const { path, node } = entry;
  const capability = node.xattrs?.['security.capability'];
  const xattrs = capability === undefined ? undefined : { 'security.capability': capability };
  return { path, node: { ...node, xattrs } };
}

function* recordedEntries(
  entries: readonly LayerEntry[],
  digests: ReadonlyArray<Digest | undefined>,
): Generator<IndexEntry> {
  for (const [i, entry] of entries.entries()) {
    if (entry.path !== '') yield indexEntry(entry, 0, digests[i] ?? emptyDigest);
  }
}

function withDigests(entries: readonly LayerEntry[], digests: ReadonlyArray<Digest | undefined>): LayerEntry[] {
  return entries.map((entry, i) => {
    const digest = digests[i];
    if (digest === undefined || !('node' in entry) || entry.node.type !== 'file') return entry;
    return { path: entry.path, node: { ...entry.node, digest } };
  });
}
