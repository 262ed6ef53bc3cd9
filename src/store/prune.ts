import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isLadingError } from '../errors/errors.js';
import { removeFiles } from '../layer/remove-files.js';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import { CacheFolderLocks } from './cache-folder-locks.js';
import { type CacheItem, type Inventory, type LayerFile, takeInventory } from './inventory.js';
import { ifExists, onFile } from './io-error.js';
import type { RecordFile } from './record-files.js';
import { deadSessions, oldestLease, removeSession } from './session.js';
import type { StoreParts } from './store-parts.js';
import { removeTransfer } from './transfers.js';

export interface PruneOptions extends CallOptions {
  /** Images without a name go too. */
  readonly all?: boolean | undefined;
  /** The cache goes too, down to `keepCacheBytes`: records with what only they keep, snapshots, mounts, spooled layers. */
  readonly cache?: boolean | undefined;
  /** Of the cache, the folders of `RUN --mount=type=cache`, whatever else is said. */
  readonly mounts?: boolean | undefined;
  /** How much of the cache may stay, what was used last first; 0 when only `cache` is given. Implies `cache`. */
  readonly keepCacheBytes?: number | undefined;
  /** Only tell what would go. */
  readonly dryRun?: boolean | undefined;
}

export interface PruneReport {
  /** Digests of the nameless images that went. */
  readonly images: readonly Digest[];
  readonly blobs: readonly Digest[];
  readonly records: number;
  /** Layer indexes and spooled layers. */
  readonly layerFiles: number;
  /** Snapshots, mounts, stat caches and journals. */
  readonly cacheItems: number;
  /** Processes that were killed, and whose unfinished files went. */
  readonly leftovers: number;
  readonly freedBytes: number;
  /** What could not be deleted, for it belongs to somebody else or is protected. The next prune tries again. */
  readonly stuck: readonly string[];
  /** Garbage that stays for now, because a living process may be about to use it. */
  readonly leasedBytes: number;
}

interface Plan {
  readonly images: readonly Digest[];
  readonly blobs: readonly Digest[];
  readonly records: readonly RecordFile[];
  readonly files: ReadonlyArray<{ readonly path: string; readonly size: number }>;
  readonly items: readonly CacheItem[];
  readonly leasedBytes: number;
}

/** Mark and sweep, under the sweep lock: see the head of `store.ts` for how that keeps other processes' work. */
export async function pruneStore(parts: StoreParts, options: PruneOptions = {}): Promise<PruneReport> {
  return parts.sweepLock.hold(async () => {
    const began = await beginning(parts.sweepLock.path);
    // A second for clocks that are read in different ways.
    const leased = ((await oldestLease(parts.root)) ?? Number.POSITIVE_INFINITY) - 1000;
    const inventory = await takeInventory(parts, options);
    const plan = makePlan(inventory, Math.min(leased, began), leased < began, options);
    const dead = await deadSessions(parts.root);
    const { stuck, inUse } = options.dryRun ? { stuck: [], inUse: [] } : await carryOut(parts, plan, dead, options);
    const items = plan.items.filter(item => !inUse.includes(item));
    const freed = [...plan.blobs.map(digest => inventory.blobs.get(digest)!), ...plan.records, ...plan.files, ...items];
    return {
      images: plan.images,
      blobs: plan.blobs,
      records: plan.records.length,
      layerFiles: plan.files.length,
      cacheItems: items.length,
      leftovers: dead.length,
      freedBytes: sum(freed),
      stuck,
      leasedBytes: plan.leasedBytes + sum(inUse),
    };
  }, options);
}

/** File systems stamp files with a clock that ticks only so often. */
const clockTickMs = 25;

/**
 * When this sweep began, in the time of the store's files. What another process writes under a lease that we do not see
 * is younger, because it began that lease after we looked, and we look a tick later.
 */
async function beginning(lockPath: string): Promise<number> {
  const { mtimeMs } = await stat(lockPath);
  const now = Date.now();
  await delay(clockTickMs);
  // Files on another machine have another clock; then only the file itself tells.
  return Math.abs(now - mtimeMs) < 1000 ? Math.max(now, mtimeMs) : mtimeMs;
}

/** `keepSinceMs`: what is younger may be in somebody's hands. `busy`: somebody is at work. */
function makePlan(inventory: Inventory, keepSinceMs: number, busy: boolean, options: PruneOptions): Plan {
  const staying = inventory.images.filter(image => image.name !== undefined || !options.all);
  const stayingDigests = new Set(staying.map(image => image.descriptor.digest));
  const alive = new Set(staying.flatMap(image => [...image.blobs.keys()]));
  for (const { record } of inventory.containers) for (const blob of record?.blobs ?? []) alive.add(blob);
  const { records, spools, items } = planCache(inventory, alive, keepSinceMs, busy, options);
  const dropped = new Set(records);
  for (const file of inventory.records) {
    if (!dropped.has(file)) for (const blob of file.record?.blobs ?? []) alive.add(blob);
  }
  const blobs: Digest[] = [];
  let leasedBytes = 0;
  for (const [digest, file] of inventory.blobs) {
    if (alive.has(digest)) continue;
    if (file.mtimeMs >= keepSinceMs) leasedBytes += file.size;
    else blobs.push(digest);
  }
  const gone = new Set(blobs);
  const goes = (note: LayerFile): boolean => gone.has(note.digest!) || !inventory.blobs.has(note.digest!);
  const notes = inventory.layerFiles.filter(file => file.kind === 'note');
  const tars = new Set(notes.filter(note => !goes(note)).map(note => note.diffId));
  const files = inventory.layerFiles.filter(file => {
    if (spools.has(file.path)) return true;
    if (file.mtimeMs >= keepSinceMs) return false;
    return file.kind === 'unknown' || (file.kind === 'note' ? goes(file) : !tars.has(file.digest));
  });
  return {
    images: [
      ...new Set(inventory.images.map(image => image.descriptor.digest).filter(digest => !stayingDigests.has(digest))),
    ],
    blobs,
    records,
    files,
    items,
    leasedBytes,
  };
}

/** What of the cache has to go: nothing unless asked, then everything that does not fit the budget, oldest use first. */
function planCache(
  inventory: Inventory,
  alive: ReadonlySet<Digest>,
  keepSinceMs: number,
  busy: boolean,
  { cache, keepCacheBytes, mounts }: PruneOptions,
): { records: RecordFile[]; spools: Set<string>; items: Plan['items'] } {
  const damaged = inventory.records.filter(file => file.record === undefined && file.usedMs < keepSinceMs);
  // What nobody goes on with is no cache but garbage.
  const isTransfer = ({ kind }: CacheItem): boolean => kind === 'transfers';
  const transfers = inventory.cacheItems.filter(item => isTransfer(item) && item.usedMs < keepSinceMs);
  // While anybody works, all mounts and snapshots stay: they may be about to be used.
  const idle = busy ? [] : inventory.cacheItems.filter(item => !isTransfer(item));
  const unwanted = [...transfers, ...(mounts ? idle.filter(({ kind }) => kind === 'mounts') : [])];
  if (!cache && keepCacheBytes === undefined) return { records: damaged, spools: new Set(), items: unwanted };
  const budget = keepCacheBytes ?? 0;
  type Candidate = { usedMs: number; path: string; size: number; record?: RecordFile; spool?: true; item?: CacheItem };
  const candidates: Candidate[] = [
    ...inventory.records.map(file => ({ usedMs: file.usedMs, path: file.path, size: file.size, record: file })),
    ...inventory.layerFiles
      .filter(file => file.kind === 'spool')
      .map(file => ({ usedMs: file.mtimeMs, path: file.path, size: file.size, spool: true as const })),
    ...idle.filter(item => !unwanted.includes(item)).map(item => ({ ...item, item })),
  ];
  candidates.sort((a, b) => b.usedMs - a.usedMs || (a.path < b.path ? -1 : 1));
  const counted = new Set(alive);
  const going: Candidate[] = [];
  let used = 0;
  // What is older than something that did not fit goes too, or old small things would outlive newer ones for ever.
  let full = budget === 0;
  for (const candidate of candidates) {
    let size = candidate.size;
    const fresh = (candidate.record?.record?.blobs ?? []).filter(digest => !counted.has(digest));
    for (const digest of new Set(fresh)) size += inventory.blobs.get(digest)?.size ?? 0;
    full ||= used + size > budget;
    if (full && candidate.usedMs < keepSinceMs) {
      going.push(candidate);
    } else {
      used += size;
      for (const digest of fresh) counted.add(digest);
    }
  }
  return {
    records: [...new Set([...damaged, ...going.flatMap(({ record }) => record ?? [])])],
    spools: new Set(going.filter(({ spool }) => spool).map(({ path }) => path)),
    items: [...unwanted, ...going.flatMap(({ item }) => item ?? [])],
  };
}

/**
 * In an order that leaves a clean store wherever it is cut off: what points first, what is pointed to after it.
 * @returns folders that could not be removed, and what somebody has come to use since it was looked at
 */
async function carryOut(
  parts: StoreParts,
  plan: Plan,
  dead: readonly string[],
  { signal }: CallOptions,
): Promise<{ readonly stuck: readonly string[]; readonly inUse: readonly CacheItem[] }> {
  const stuck: string[] = [];
  const inUse: CacheItem[] = [];
  const locks = new CacheFolderLocks(parts.root);
  const attempt = async (path: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isLadingError(error, 'IO')) throw error;
      stuck.push(path);
    }
  };
  if (plan.images.length > 0) await parts.layout.dropUnnamed(new Set(plan.images), { signal });
  for (const record of plan.records) await parts.records.remove(record);
  for (const item of plan.items) {
    const { kind, path } = item;
    await attempt(path, async () => {
      if (kind === 'transfers') return removeTransfer(path);
      const aside = join(parts.root, 'tmp', randomUUID());
      const move = (): Promise<void> => moveItem(path, aside);
      if (kind !== 'mounts') await move();
      else if (!(await locks.ifUnused(basename(path), move))) inUse.push(item);
      await removeFiles(aside);
    });
  }
  await locks.sweep();
  for (const { path } of plan.files) await onFile(path, () => rm(path, { force: true }));
  for (const digest of plan.blobs) {
    signal?.throwIfAborted();
    await parts.layout.blobs.remove(digest);
  }
  for (const id of dead) await attempt(join(parts.root, 'tmp', id), () => removeSession(parts.root, id));
  return { stuck, inUse };
}

/** Out of sight first: whoever finds a half of it, when this is cut off, would take it for whole. */
async function moveItem(path: string, aside: string): Promise<void> {
  await onFile(path, async () => {
    await mkdir(dirname(aside), { recursive: true });
    await ifExists(path, () => rename(path, aside));
  });
}

function sum(files: ReadonlyArray<{ readonly size: number }>): number {
  return files.reduce((total, { size }) => total + size, 0);
}
