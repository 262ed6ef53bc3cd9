import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import { type ImageUsage, measureImages } from './image-usage.js';
import { type CacheItem, type Inventory, takeInventory } from './inventory.js';
import type { StoreParts } from './store-parts.js';

/** Bytes are those of the files; what several share is counted once. */
export interface UsageClass {
  readonly count: number;
  readonly sizeBytes: number;
  /** What a prune would give back: `all` for images, `cache` for the classes of the cache, none for garbage. */
  readonly reclaimableBytes: number;
}

/** Where the room goes. The classes do not overlap: their sizes add up to `totalBytes`. */
export interface StoreUsage {
  /** Blobs of the images that are listed; those of nameless images only are reclaimable. */
  readonly images: UsageClass;
  /** Records of steps and of files of the web, with the blobs that only they keep. */
  readonly records: UsageClass;
  /** Records of containers, with the blobs that no image has, and what the containers changed and wrote. */
  readonly containers: UsageClass;
  /** Blobs that nothing needs. */
  readonly garbage: UsageClass;
  /** Indexes of layers, and layers spooled uncompressed. */
  readonly layers: UsageClass;
  readonly snapshots: UsageClass;
  readonly mounts: UsageClass;
  readonly contexts: UsageClass;
  readonly transfers: UsageClass;
  readonly totalBytes: number;
  /** An entry for every image of the list, by name. */
  readonly perImage: readonly ImageUsage[];
}

export async function measureStore(parts: StoreParts, options?: CallOptions): Promise<StoreUsage> {
  const inventory = await takeInventory(parts, options);
  const blobClasses = measureBlobs(inventory);
  const spools = inventory.layerFiles.filter(file => file.kind === 'spool');
  const layers: UsageClass = {
    count: inventory.layerFiles.filter(file => file.kind === 'index').length,
    sizeBytes: sum(inventory.layerFiles),
    reclaimableBytes: sum(spools),
  };
  const classes = {
    ...blobClasses,
    layers,
    snapshots: measureItems(inventory, 'snapshots'),
    mounts: measureItems(inventory, 'mounts'),
    contexts: measureItems(inventory, 'contexts'),
    transfers: measureItems(inventory, 'transfers'),
  };
  const totalBytes = Object.values(classes).reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  return {
    ...classes,
    totalBytes,
    perImage: measureImages(inventory.images, digest => inventory.blobs.get(digest)?.size),
  };
}

function measureBlobs(inventory: Inventory): Pick<StoreUsage, 'images' | 'records' | 'containers' | 'garbage'> {
  const size = (digests: Iterable<Digest>): number => {
    let total = 0;
    for (const digest of digests) total += inventory.blobs.get(digest)?.size ?? 0;
    return total;
  };
  const union = (sets: ReadonlyArray<Iterable<Digest>>): Set<Digest> => new Set(sets.flatMap(set => [...set]));
  const named = union(inventory.images.filter(image => image.name !== undefined).map(image => image.blobs.keys()));
  const listed = union(inventory.images.map(image => image.blobs.keys()));
  const recorded = union(inventory.records.map(file => file.record?.blobs ?? []));
  const contained = union(inventory.containers.map(file => file.record?.blobs ?? []));
  const onlyContained = [...contained].filter(digest => !listed.has(digest));
  const onlyRecorded = [...recorded].filter(digest => !listed.has(digest) && !contained.has(digest));
  const needed = [listed, recorded, contained];
  const garbage = [...inventory.blobs.keys()].filter(digest => !needed.some(set => set.has(digest)));
  const containerBytes = sum(inventory.containers) + inventory.containerBytes + size(onlyContained);
  const recordBytes = sum(inventory.records) + size(onlyRecorded);
  return {
    images: {
      count: new Set(inventory.images.map(image => image.descriptor.digest)).size,
      sizeBytes: size(listed),
      reclaimableBytes: size(
        [...listed].filter(digest => !named.has(digest) && !recorded.has(digest) && !contained.has(digest)),
      ),
    },
    records: { count: inventory.records.length, sizeBytes: recordBytes, reclaimableBytes: recordBytes },
    containers: { count: inventory.containers.length, sizeBytes: containerBytes, reclaimableBytes: 0 },
    garbage: { count: garbage.length, sizeBytes: size(garbage), reclaimableBytes: size(garbage) },
  };
}

function measureItems(inventory: Inventory, kind: CacheItem['kind']): UsageClass {
  const items = inventory.cacheItems.filter(item => item.kind === kind);
  return { count: items.length, sizeBytes: sum(items), reclaimableBytes: sum(items) };
}

function sum(files: ReadonlyArray<{ readonly size: number }>): number {
  return files.reduce((total, { size }) => total + size, 0);
}
