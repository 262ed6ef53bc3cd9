import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { childrenOf } from '../content/walk.js';
import { isLadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { removeFiles } from '../layer/remove-files.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, digestAlgorithm } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import { Digester } from '../stream/verified.js';
import { readFramed } from './framed-file.js';
import { type Inventory, type LayerFile, takeInventory } from './inventory.js';
import { ifExists } from './io-error.js';
import { blobLayerKind } from './layer-files.js';
import { layerIndexKind } from './layer-index-codec.js';
import { mayBeMissing, refNameOf } from './layout-entry.js';
import { deadSessions, removeSession } from './session.js';
import type { StoreParts } from './store-parts.js';
import { openRegularFile } from './verified-file.js';

/** What is wrong with a store. All that can be made or fetched again is repaired by deleting it. */
export type StoreProblem = { readonly repaired: boolean } & (
  | { readonly kind: 'index-file-invalid'; readonly path: string; readonly problem: string }
  | { readonly kind: 'blob-damaged'; readonly digest: Digest; readonly path: string; readonly actual: Digest }
  /** `neededBy` is the name of the image, or its digest when it has none. */
  | { readonly kind: 'blob-missing'; readonly digest: Digest; readonly neededBy: string }
  | { readonly kind: 'document-invalid'; readonly digest: Digest; readonly neededBy: string; readonly problem: string }
  /** A file among the blobs that is no blob. */
  | { readonly kind: 'stray-file'; readonly path: string }
  | { readonly kind: 'layer-file-damaged'; readonly path: string }
  | { readonly kind: 'record-damaged'; readonly path: string }
  /** A root for processes, without what says which layers it holds. */
  | { readonly kind: 'snapshot-damaged'; readonly path: string }
  /** A container whose record cannot be read, or that lacks a part of its files. */
  | { readonly kind: 'container-damaged'; readonly path: string }
);

export interface StoreCheck {
  /** Blobs that were read and hashed. */
  readonly blobs: number;
  /** None: every image is whole. */
  readonly problems: readonly StoreProblem[];
  /** Ids of processes that were killed at work, and left unfinished files that harm nobody. */
  readonly leftovers: readonly string[];
}

export interface CheckOptions extends CallOptions {
  /** Deletes what is damaged; a pull, a load or a build then brings back what an image lacks. Names are never deleted. */
  readonly repair?: boolean | undefined;
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** Reads every byte of the store. Other processes may work meanwhile. */
export async function checkStore(parts: StoreParts, options: CheckOptions = {}): Promise<StoreCheck> {
  const leftovers = await deadSessions(parts.root);
  let inventory: Inventory;
  try {
    inventory = await takeInventory(parts, options);
  } catch (error) {
    if (!isLadingError(error, 'INVALID_DOCUMENT') && !isLadingError(error, 'SIZE_EXCEEDED')) throw error;
    const problem = { kind: 'index-file-invalid', path: parts.root, problem: error.message, repaired: false } as const;
    return { blobs: 0, problems: [problem], leftovers };
  }
  const repair = options.repair ?? false;
  const problems: StoreProblem[] = [];
  const remove = async (path: string): Promise<boolean> => {
    if (repair) await removeFiles(path);
    return repair;
  };

  const damaged = new Set<Digest>();
  for (const [digest, { path }] of inventory.blobs) {
    const actual = await hashFile(path, digest, options);
    if (actual === undefined || actual === digest) continue;
    damaged.add(digest);
    problems.push({ kind: 'blob-damaged', digest, path, actual, repaired: await remove(path) });
  }
  for await (const { digest, path } of parts.layout.blobs.list()) {
    if (digest === undefined) problems.push({ kind: 'stray-file', path, repaired: await remove(path) });
  }
  for (const { descriptor } of inventory.images) {
    await checkImage(parts, descriptor, damaged, problems, options);
  }
  for (const file of inventory.layerFiles) {
    if (await isSound(file)) continue;
    problems.push({ kind: 'layer-file-damaged', path: file.path, repaired: await remove(file.path) });
  }
  for (const { path, record } of inventory.records) {
    const whole = record?.blobs.every(digest => inventory.blobs.has(digest) && !damaged.has(digest)) ?? false;
    if (!whole) problems.push({ kind: 'record-damaged', path, repaired: await remove(path) });
  }
  for (const { kind, path } of inventory.cacheItems) {
    if (kind !== 'snapshots' || (await isSnapshot(path))) continue;
    problems.push({ kind: 'snapshot-damaged', path, repaired: await remove(path) });
  }
  // A container cannot be made again, so its record stays whatever is wrong with it.
  for (const { path, record } of inventory.containers) {
    const whole = record?.blobs.every(digest => inventory.blobs.has(digest) && !damaged.has(digest)) ?? false;
    if (!whole) problems.push({ kind: 'container-damaged', path, repaired: false });
  }
  if (repair) for (const id of leftovers) await removeSession(parts.root, id);
  return { blobs: inventory.blobs.size, problems, leftovers };
}

/** Whether everything that an image needs is there and reads as what it should be. */
async function checkImage(
  parts: StoreParts,
  root: Descriptor,
  damaged: ReadonlySet<Digest>,
  problems: StoreProblem[],
  options: CallOptions,
): Promise<void> {
  const neededBy = refNameOf(root) ?? root.digest;
  const seen = new Set<Digest>();
  const pending = [root];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { digest } = next;
    // What is damaged has been told, and is not opened.
    if (seen.has(digest) || damaged.has(digest)) continue;
    seen.add(digest);
    const file = await parts.layout.blobs.stat(digest);
    if (file === undefined) {
      if (!mayBeMissing(next)) problems.push({ kind: 'blob-missing', digest, neededBy, repaired: false });
      continue;
    }
    try {
      if (file.size !== next.size) throw new Error(`it has ${file.size} bytes, its descriptor says ${next.size}`);
      pending.push(...(await childrenOf(parts.layout, next, options)));
    } catch (error) {
      if (options.signal?.aborted || isLadingError(error, 'IO')) throw error;
      const problem = error instanceof Error ? error.message : String(error);
      problems.push({ kind: 'document-invalid', digest, neededBy, problem, repaired: false });
    }
  }
}

async function isSound({ kind, path, digest }: LayerFile): Promise<boolean> {
  if (kind === 'spool') return (await hashFile(path, digest!, {})) === digest;
  if (kind === 'unknown') return false;
  return (await readFramed(kind === 'note' ? blobLayerKind : layerIndexKind, path)) !== 'damaged';
}

/** Whether it says what it is; whoever uses it looks closer. One that has been taken into use meanwhile is sound. */
async function isSnapshot(path: string): Promise<boolean> {
  try {
    const about = JSON.parse(await readFile(join(path, 'about'), 'utf8'));
    return Array.isArray(about.layers) && (await lstat(join(path, 'root'))).isDirectory();
  } catch {
    return (await ifExists(path, () => lstat(path))) === undefined;
  }
}

/** `undefined` when the file has gone meanwhile. */
async function hashFile(path: string, digest: Digest, options: CheckOptions): Promise<Digest | undefined> {
  const handle = await openRegularFile(path);
  if (handle === undefined) return undefined;
  const digester = new Digester(digestAlgorithm(digest));
  try {
    for await (const chunk of handle.createReadStream({ highWaterMark: 1024 * 1024, signal: options.signal })) {
      digester.update(chunk);
      options.onProgress?.(chunk.length);
    }
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    throw ioError(error, path);
  }
  return digester.digest();
}
