import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { CallOptions } from '../stream/bytes.js';
import { entryCount, type Fingerprint, type FolderLister, foldersIn, type ListedFolders } from './folder-lister.js';
import code from './scan-worker.js?worker-code';

export interface ScanOptions extends CallOptions {
  /** Threads besides the one that calls: by default as many as there are further processors. The result is the same. */
  readonly threads?: number | undefined;
  /** Entries that are listed before it is worth starting threads. */
  readonly alone?: number | undefined;
}

/** What a thread is given. */
export interface ScanJob {
  readonly host: string;
  /** Text of an ignore file. */
  readonly ignore?: string | undefined;
  /** To be listed with all below them. */
  readonly folders: readonly string[];
  /** Place of the next one that nobody has taken. */
  readonly next: Int32Array;
}

/** A file system answers more than a few at a time no faster. */
const mostThreads = 3;
const startedAlone = 1500;
/** Fewer folders than these cannot be shared out evenly. */
const fewFolders = 16;
const turnMs = 20;

/**
 * Lists a folder with all below it, by several threads when it is large, and gives its fingerprint. All of it is in the
 * lister then. Where threads cannot be had, or one fails, what is missing is listed by this one.
 * @throws LadingError IO, for what cannot be listed
 */
export async function scanFolder(
  lister: FolderLister,
  path: string,
  { signal, threads = availableParallelism() - 1, alone = startedAlone }: ScanOptions = {},
): Promise<Fingerprint> {
  const folders = [path];
  let taken = 0;
  let entries = 0;
  while (taken < folders.length && (entries < alone || folders.length - taken < fewFolders)) {
    const folder = folders[taken++]!;
    const listing = lister.listing(folder);
    entries += entryCount(listing);
    for (const below of foldersIn(folder, listing)) folders.push(below);
  }
  const job: ScanJob = {
    host: lister.host,
    ignore: lister.ignore?.text,
    folders: folders.slice(taken),
    next: new Int32Array(new SharedArrayBuffer(4)),
  };
  const shared = job.folders.length > 0 && (lister.ignore === undefined || job.ignore !== undefined);
  const helpers = shared ? startHelpers(job, Math.min(threads, mostThreads)) : [];
  try {
    signal?.throwIfAborted();
    let turn = performance.now();
    for (let place = Atomics.add(job.next, 0, 1); place < job.folders.length; place = Atomics.add(job.next, 0, 1)) {
      lister.fingerprint(job.folders[place]!);
      if (performance.now() - turn < turnMs) continue;
      // Signals, timers and other work get their turn.
      await setImmediate();
      signal?.throwIfAborted();
      turn = performance.now();
    }
    for (const { result } of helpers) {
      const listed = await result;
      if (listed !== undefined) lister.adopt(listed);
    }
    return lister.fingerprint(path);
  } finally {
    await Promise.all(helpers.map(({ worker }) => worker.terminate()));
  }
}

interface Helper {
  readonly worker: Worker;
  readonly result: Promise<ListedFolders | undefined>;
}

function startHelpers(job: ScanJob, threads: number): Helper[] {
  const helpers: Helper[] = [];
  for (let i = 0; i < threads; i++) {
    try {
      const worker = new Worker(code, {
        eval: true,
        name: 'lading-scan',
        execArgv: [],
        env: {},
        stdin: false,
        workerData: job,
      });
      const result = new Promise<ListedFolders | undefined>(resolve => {
        worker.once('message', resolve);
        worker.once('error', () => resolve(undefined));
        worker.once('exit', () => resolve(undefined));
      });
      helpers.push({ worker, result });
    } catch {
      break;
    }
  }
  return helpers;
}
