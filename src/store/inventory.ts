import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Digest } from '../oci/digest.js';
import { isDigest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { BlobFile } from './blob-directory.js';
import { type ImageBlobs, imagesWithBlobs } from './image-blobs.js';
import { ifExists } from './io-error.js';
import { type RecordFile, RecordFiles, recordFolders } from './record-files.js';
import type { StoreParts } from './store-parts.js';
import { listTransfers } from './transfers.js';

/** A file of `layers/`. */
export interface LayerFile {
  readonly kind: 'note' | 'index' | 'spool' | 'unknown';
  readonly path: string;
  /** Of the blob for a note, else the diffId. */
  readonly digest?: Digest | undefined;
  /** Of a note: the tar that the blob holds. */
  readonly diffId?: Digest | undefined;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Something that others keep in the store, whole: a snapshot, a mount, a journal. */
export interface CacheItem {
  readonly kind: 'snapshots' | 'mounts' | 'transfers' | 'contexts';
  readonly path: string;
  readonly size: number;
  readonly usedMs: number;
}

/** All that is on the disk, seen once. */
export interface Inventory {
  readonly images: readonly ImageBlobs[];
  readonly blobs: ReadonlyMap<Digest, BlobFile>;
  readonly records: readonly RecordFile[];
  /** Of containers: what they need stays for as long as they are there. */
  readonly containers: readonly RecordFile[];
  /** Bytes of what containers changed and wrote: all that lies beside their records. */
  readonly containerBytes: number;
  readonly layerFiles: readonly LayerFile[];
  readonly cacheItems: readonly CacheItem[];
}

const cacheFolders = {
  snapshots: 'snapshots',
  mounts: 'mounts',
  contexts: 'cache/context',
} as const;

/** Folders of the store that others fill. */
export type StoreFolder = (typeof cacheFolders)[keyof typeof cacheFolders];

export async function takeInventory(parts: StoreParts, options: CallOptions = {}): Promise<Inventory> {
  const images = await imagesWithBlobs(parts.layout, options);
  const blobs = new Map<Digest, BlobFile>();
  for await (const file of parts.layout.blobs.list()) if (file.digest !== undefined) blobs.set(file.digest, file);
  options.signal?.throwIfAborted();
  const records: RecordFile[] = [];
  for await (const file of parts.records.list()) records.push(file);
  const containers: RecordFile[] = [];
  const containerFiles = new RecordFiles(parts.root, async () => parts.root, recordFolders.containers);
  for await (const file of containerFiles.list()) containers.push(file);
  const containerBytes = await sizeBesideRecords(join(parts.root, dirname(recordFolders.containers)), options);
  const cacheItems: CacheItem[] = [];
  for (const kind of ['snapshots', 'mounts', 'contexts'] as const) {
    cacheItems.push(...(await listItems(kind, join(parts.root, cacheFolders[kind]), options)));
  }
  for (const files of await listTransfers(parts.root)) cacheItems.push({ kind: 'transfers', ...files });
  const layerFiles = await listLayerFiles(parts);
  return { images, blobs, records, containers, containerBytes, layerFiles, cacheItems };
}

async function listLayerFiles({ root, layers }: StoreParts): Promise<LayerFile[]> {
  const files: LayerFile[] = [];
  const list = async (
    folder: string,
    classify: (name: string) => Pick<LayerFile, 'kind' | 'digest'>,
  ): Promise<void> => {
    for (const name of (await ifExists(folder, () => readdir(folder))) ?? []) {
      const path = join(folder, name);
      const stats = await ifExists(path, () => lstat(path));
      if (stats?.isFile()) files.push({ ...classify(name), path, size: stats.size, mtimeMs: stats.mtimeMs });
    }
  };
  await list(join(root, 'layers'), name => {
    const digest = `sha256:${name.replace(/\.tar$/, '')}`;
    if (!isDigest(digest)) return { kind: 'unknown' };
    return { kind: name.endsWith('.tar') ? 'spool' : 'index', digest };
  });
  await list(join(root, 'layers', 'blobs'), name => {
    const digest = name.replace('-', ':');
    return isDigest(digest) ? { kind: 'note', digest } : { kind: 'unknown' };
  });
  return Promise.all(
    files.map(async file =>
      file.kind === 'note' ? { ...file, diffId: (await layers.blobLayer(file.digest!))?.diffId } : file,
    ),
  );
}

async function listItems(kind: keyof typeof cacheFolders, folder: string, options: CallOptions): Promise<CacheItem[]> {
  const items: CacheItem[] = [];
  for (const name of (await ifExists(folder, () => readdir(folder))) ?? []) {
    const path = join(folder, name);
    const stats = await ifExists(path, () => lstat(path));
    if (stats !== undefined) items.push({ kind, path, size: await sizeOf(path, options), usedMs: stats.mtimeMs });
  }
  return items;
}

/** Of the folder of the containers. */
async function sizeBesideRecords(folder: string, options: CallOptions): Promise<number> {
  const names = (await ifExists(folder, () => readdir(folder))) ?? [];
  const others = names.filter(name => name !== basename(recordFolders.containers));
  const sizes = await Promise.all(others.map(name => sizeOf(join(folder, name), options)));
  return sizes.reduce((total, size) => total + size, 0);
}

/** Bytes of all files below a path, links not followed, hard links counted once. */
async function sizeOf(root: string, options: CallOptions): Promise<number> {
  const linked = new Set<string>();
  const pending = [root];
  let total = 0;
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    options.signal?.throwIfAborted();
    const at = path;
    const stats = await ifExists(at, () => lstat(at));
    if (stats?.isDirectory()) {
      // A folder that belongs to another uid of a build is passed over: its size is not ours to know.
      for (const name of await readdir(at).catch(() => [])) pending.push(join(at, name));
    } else if (stats?.isFile()) {
      const key = `${stats.dev}:${stats.ino}`;
      if (stats.nlink > 1 && linked.has(key)) continue;
      if (stats.nlink > 1) linked.add(key);
      total += stats.size;
    }
  }
  return total;
}
