/** The thread that makes segments. It is bundled into a text (see `segment-crew.ts`) and started from there. */
import { parentPort } from 'node:worker_threads';
import { type Job, runJob } from './segment-job.js';

parentPort!.on('message', (job: Job) => parentPort!.postMessage(runJob(job)));
