/** The thread that makes segments. It is bundled into a text (see `segment-crew.ts`) and started from there. */
import { parentPort } from 'node:worker_threads';
import { type Job, runJob } from './segment-job.js';

parentPort!.on('message', (job: Job) => {
  const result = runJob(job);
  const packed = result.kind === 'packed' ? result.packed : undefined;
  parentPort!.postMessage(result, packed === undefined ? [result.raw.buffer] : [result.raw.buffer, packed.buffer]);
});
