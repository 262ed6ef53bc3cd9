import { layerRecord } from '../cache/layer-record.js';
import { recordKey } from '../cache/record.js';
import type { StepCache, StepOrigin } from '../cache/step-cache.js';
import { diffTrees } from '../layer/diff.js';
import type { LayerEntry } from '../layer/entry.js';
import type { LayerStore } from '../layer/layer-store.js';
import type { Compression } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import { applyLayer } from '../tree/apply-layer.js';
import type { LayerIndex } from '../tree/layer-index.js';
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
  /** Pack even when the cache has the layer; once a build. */
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
 */
export async function commitLayer(
  below: DirectoryNode,
  before: DirectoryNode,
  after: DirectoryNode,
  origin: StepOrigin,
  options: CommitOptions,
): Promise<CommittedLayer> {
  const { store, cache, layers, files, compression, level, fresh, signal, onProgress } = options;
  const entries: LayerEntry[] = [];
  for (const entry of diffTrees(before, after)) entries.push(await settled(entry, files, { signal }));
  const record = layerRecord(entries, { compression, level });
  const key = recordKey(record);
  const known = await layers.find(key, () => cache.get(record, { signal }));
  if (known !== undefined && !fresh) {
    const index = await store.layerIndex(known, { signal });
    return { layer: known, cached: true, tree: applyLayer(below, index, known) };
  }
  let index: LayerIndex | undefined;
  const layer = await layers.make(key, async () => {
    const packed = await store.packLayer(entries, { compression, level, signal, onProgress });
    await cache.put(record, packed.layer, origin, { signal });
    index = packed.index;
    return packed.layer;
  });
  index ??= await store.layerIndex(layer, { signal });
  return { layer, cached: false, tree: applyLayer(below, index, layer) };
}

/**
 * The entry as it goes into a layer: a file with its digest, so that one that changes before it is packed cannot get in
 * unseen, and of extended attributes only the capabilities, as BuildKit's layers have them.
 */
async function settled(entry: LayerEntry, files: FileAccess, options: CallOptions): Promise<LayerEntry> {
  if (!('node' in entry)) return entry;
  const { path, node } = entry;
  const capability = node.xattrs?.['security.capability'];
  const xattrs = capability === undefined ? undefined : { 'security.capability': capability };
  if (node.type !== 'file') return node.xattrs === undefined ? entry : { path, node: { ...node, xattrs } };
  return { path, node: { ...node, xattrs, digest: await files.digest(node, options) } };
}
