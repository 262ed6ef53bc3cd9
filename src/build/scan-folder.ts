import { uptime } from 'node:process';
import { setImmediate } from 'node:timers/promises';
import type { CallOptions } from '../stream/bytes.js';
import { entryCount, type Fingerprint, type FolderLister } from './folder-lister.js';
import type { ScanCrew } from './scan-crew.js';
import { type ScanJob, takeFolders } from './scan-job.js';

export interface ScanOptions extends CallOptions {
  /** Who helps. */
  readonly crew: ScanCrew;
  /** Entries that are listed before help is asked for: by default few where the threads are there, else as many as are {@link worthThreads}. */
  readonly alone?: number | undefined;
}

/** As many as take a few ms. */
const startedAlone = 1500;
/** As many as take longer than threads do until they are of use: those cost as much processor time as 7,000 entries. */
export const worthThreads = 15_000;
/** Fewer folders than these cannot be shared out evenly. */
const fewFolders = 16;
/** In seconds. */
const longTurn = 0.02;

/**
 * Lists a folder with all below it, by several threads when it is large, and gives its fingerprint. All of it is in the
 * lister then. What a thread has not done this one does.
 * @throws LadingError IO, for what cannot be listed
 */
export async function scanFolder(
  lister: FolderLister,
  path: string,
  { signal, crew, alone = crew.started ? startedAlone : worthThreads }: ScanOptions,
): Promise<Fingerprint> {
  signal?.throwIfAborted();
  const folders = [path];
  let taken = 0;
  let entries = 0;
  while (taken < folders.length && (entries < alone || folders.length - taken < fewFolders)) {
    const folder = folders[taken++]!;
    const known = lister.has(folder);
    const listing = lister.listing(folder);
    // What a tree has been made of already takes no time.
    if (!known) entries += entryCount(listing);
    for (const below of listing.folders) folders.push(below);
  }
  const { host, ignore } = lister;
  const next = new Int32Array(new SharedArrayBuffer(4));
  const job: ScanJob = { host, ignore: ignore?.text, folders: folders.slice(taken), next };
  const shared = job.folders.length > 0 && (ignore === undefined || ignore.text !== undefined);
  const others = shared ? crew.work(job) : [];
  let turn = uptime();
  for (const folder of takeFolders(job)) {
    lister.listAll(folder);
    if (uptime() - turn < longTurn) continue;
    // Signals, timers and other work get their turn.
    await setImmediate();
    signal?.throwIfAborted();
    turn = uptime();
  }
  for (const listed of await Promise.all(others)) if (listed !== undefined) lister.adopt(listed);
  if (shared) crew.rest();
  return lister.fingerprint(path);
}
