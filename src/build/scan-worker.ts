/** A thread that lists folders of a context. It is bundled into a text (see `scan-folder.ts`) and started from there. */
import { parentPort, workerData } from 'node:worker_threads';
import { ignoreMatcher } from '../dockerfile/ignore.js';
import { FolderLister } from './folder-lister.js';
import type { ScanJob } from './scan-folder.js';

const { host, ignore, folders, next } = workerData as ScanJob;
const lister = new FolderLister(host, ignore === undefined ? undefined : ignoreMatcher(ignore));
for (let place = Atomics.add(next, 0, 1); place < folders.length; place = Atomics.add(next, 0, 1)) {
  lister.fingerprint(folders[place]!);
}
const listed = lister.listed();
parentPort!.postMessage(listed, [listed.rows.buffer]);
