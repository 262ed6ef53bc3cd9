/** A thread that lists folders of contexts. It is bundled into a text (see `scan-crew.ts`) and started from there. */
import { parentPort } from 'node:worker_threads';
import { ignoreMatcher } from '../dockerfile/ignore.js';
import { FolderLister } from './folder-lister.js';
import { type ScanJob, takeFolders } from './scan-job.js';

parentPort!.on('message', (job: ScanJob) => {
  const lister = new FolderLister(job.host, job.ignore === undefined ? undefined : ignoreMatcher(job.ignore));
  try {
    for (const folder of takeFolders(job)) lister.listAll(folder);
  } catch {
    // Whoever asks comes to the same folder, and can say what is wrong with it.
  }
  const listed = lister.listed();
  parentPort!.postMessage(listed, [listed.rows.buffer, listed.lengths.buffer, listed.settledFrom.buffer]);
});
