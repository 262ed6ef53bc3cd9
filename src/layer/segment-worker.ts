/** The thread that makes segments. It is bundled into a text (see `segment-crew.ts`) and started from there. */
import { parentPort, workerData } from 'node:worker_threads';
import { workIn } from './codec.js';
import { type Job, runJob } from './segment-job.js';
import type { WasmMemory } from './wasm-module.js';

/** What the thread is started with. */
export interface SegmentWorkerData {
  /** That of the thread, if there is one. */
  readonly memory: WasmMemory | undefined;
}

export interface JobOrder {
  readonly job: Job;
  /** The buffer of the job lies in the memory of the thread. */
  readonly isHome: boolean;
}

const { memory } = workerData as SegmentWorkerData;
if (memory !== undefined) workIn(memory);

parentPort!.on('message', ({ job, isHome }: JobOrder) => {
  const { byteOffset, length } = job.raw;
  // What a message brings is another object for the same bytes.
  const raw = isHome ? new Uint8Array(memory!.buffer, byteOffset, length) : job.raw;
  parentPort!.postMessage(runJob({ ...job, raw }));
});
