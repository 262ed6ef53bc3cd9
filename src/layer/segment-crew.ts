import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { HashThread } from './hash-thread.js';
import type { Lender } from './in-order.js';
import type { LayerHashing } from './layer-hashes.js';
import { type Job, type JobResult, runJob } from './segment-job.js';
import { SegmentMemory } from './segment-memory.js';
import type { JobOrder, SegmentWorkerData } from './segment-worker.js';
import code from './segment-worker.js?worker-code';
import type { SharedBytes } from './shared-bytes.js';

interface Task {
  readonly job: Job;
  readonly resolve: (result: JobResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Member {
  readonly worker: Worker;
  readonly memory: SegmentMemory | undefined;
  /** Given to it and not answered yet, oldest first. */
  readonly tasks: Task[];
  online: boolean;
}

/** With no more than these, whoever takes a layer over has time to hash it, and one thread less is started. */
const fewThreads = 2;

/** Jobs that are not worth a thread more. */
const fewHeavy = 4;

/**
 * One at work, and some that wait for it: so no thread is idle while a message is on its way, or while whoever makes the
 * tasks has to wait for a processor. More than that gains nothing.
 */
const tasksEach = 4;
/** Buffers that are still hashed and written when what is in them is made, about. */
const buffersBehind = 4;

/**
 * The threads that make segments, started when there is work for more than one. Where threads cannot be had, the work is
 * done in this one: the results are the same. They do not keep a process alive, and end with `close`.
 */
export class SegmentCrew implements Lender {
  readonly #threads: number;
  readonly #members: Member[] = [];
  readonly #waiting: Task[] = [];
  readonly #hashes: HashThread;
  #unavailable = false;
  /** Jobs so far that take much longer than a message. */
  #heavy = 0;
  #draining = false;
  #helping = false;
  #closed = false;

  /** `threads`: how many; 0 for none but the one that calls. By default as many as there are processors. */
  constructor(threads: number = availableParallelism()) {
    this.#threads = Math.max(0, threads);
    this.#hashes = new HashThread(() => threads > fewThreads || (threads > 1 && this.#heavy > fewHeavy));
  }

  /** Jobs that keep everyone busy: more at a time only take memory. */
  get capacity(): number {
    return this.#threads * tasksEach + 1;
  }

  /**
   * Does a job. `alone` says that no other is coming as far as the caller knows: then it is not worth starting threads.
   * Nobody else uses the buffer of the job until it comes back with the result.
   */
  run(job: Job, { alone }: { readonly alone: boolean }): Promise<JobResult> {
    if (this.#closed) return Promise.reject(closedError());
    const result = new Promise<JobResult>((resolve, reject) => this.#waiting.push({ job, resolve, reject }));
    if (job.kind !== 'take') this.#heavy += 1;
    if (!alone) this.#start(this.#heavy > fewHeavy ? this.#threads : this.#takers);
    this.#assign();
    return result;
  }

  /** Starts threads, for whoever knows that there will be much to take over: it takes them a while. */
  startTaking(): void {
    this.#start(this.#takers);
  }

  /**
   * Threads that take over what there is: one less than there are, for whoever hashes the layer is nearly as busy then, and
   * helps when it is not; with more of them than processors they only take turns.
   */
  get #takers(): number {
    return Math.min(this.#threads, Math.max(1, this.#threads - 1));
  }

  /** In the memory of the thread that has the least to do: if that thread does the job then, it does it in place. */
  lend(capacity: number): SharedBytes | undefined {
    const [memory] = this.#members.flatMap(({ memory = [] }) => memory).sort((a, b) => b.idle - a.idle);
    return memory?.lend(capacity);
  }

  takeBack(raw: SharedBytes): boolean {
    const owner = this.#members.find(({ memory }) => memory?.holds(raw));
    owner?.memory?.takeBack(raw);
    return owner !== undefined;
  }

  /** The hashes of a layer that is written meanwhile. */
  hashing(): LayerHashing {
    return this.#hashes.layer();
  }

  /** Ends the threads; what they were at is rejected, and what is asked for from now on. */
  async close(): Promise<void> {
    this.#closed = true;
    const members = this.#members.splice(0);
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
    await Promise.all([this.#hashes.close(), ...members.map(({ worker }) => worker.terminate())]);
    for (const { tasks } of members) for (const { reject } of tasks) reject(closedError());
  }

  #start(threads: number): void {
    if (this.#closed || this.#unavailable) return;
    while (this.#members.length < threads) {
      const memory = SegmentMemory.create(Math.ceil((this.capacity + buffersBehind) / threads));
      const workerData: SegmentWorkerData = { memory: memory?.memory };
      let worker: Worker;
      try {
        worker = new Worker(code, {
          eval: true,
          name: 'lading-segments',
          execArgv: [],
          env: {},
          stdin: false,
          workerData,
        });
      } catch {
        this.#unavailable = true;
        return;
      }
      const member: Member = { worker, memory, tasks: [], online: false };
      worker.on('online', () => {
        member.online = true;
        this.#assign();
      });
      worker.on('message', (result: JobResult) => {
        member.tasks.shift()!.resolve(result);
        if (member.tasks.length === 0) worker.unref();
        this.#assign();
      });
      worker.on('error', error => this.#lost(member, error));
      worker.on('exit', code => this.#lost(member, new Error(`a thread ended with ${code}`)));
      worker.unref();
      this.#members.push(member);
    }
  }

  #assign(): void {
    while (this.#waiting.length > 0) {
      const online = this.#members.filter(({ online }) => online).sort((a, b) => a.tasks.length - b.tasks.length);
      if (online.length === 0) return void this.#drain();
      const free = online.filter(({ tasks }) => tasks.length < tasksEach);
      if (free.length === 0) return void this.#help();
      const task = this.#waiting.shift()!;
      const home = free.find(({ memory }) => memory?.holds(task.job.raw));
      const member = home ?? free[0]!;
      member.tasks.push(task);
      member.worker.ref();
      member.worker.postMessage({ job: task.job, isHome: home !== undefined } satisfies JobOrder);
    }
  }

  /** Takes over here what would wait, where a thread was left out for that; between what else there is to do. */
  async #help(): Promise<void> {
    if (this.#helping || this.#members.length !== this.#takers || this.#takers === this.#threads) return;
    this.#helping = true;
    try {
      for (;;) {
        await setImmediate();
        const [task] = this.#waiting;
        if (task?.job.kind !== 'take' || this.#members.some(({ tasks }) => tasks.length < tasksEach)) return;
        this.#waiting.shift();
        runHere(task);
      }
    } finally {
      this.#helping = false;
    }
  }

  /** Works here for as long as there are no threads: before the first has come up, or when there are none. */
  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (this.#waiting.length > 0) {
        // The work is synchronous: threads that come up, timers and signals get their turn between jobs.
        await setImmediate();
        if (this.#members.some(({ online }) => online)) break;
        const task = this.#waiting.shift();
        if (task === undefined) break;
        runHere(task);
      }
    } finally {
      this.#draining = false;
    }
  }

  #lost(member: Member, error: unknown): void {
    const place = this.#members.indexOf(member);
    if (place < 0) return;
    this.#members.splice(place, 1);
    this.#unavailable = true;
    for (const task of member.tasks) task.reject(error);
    this.#assign();
  }
}

function runHere({ job, resolve, reject }: Task): void {
  try {
    resolve(runJob(job));
  } catch (error) {
    reject(error);
  }
}

function closedError(): Error {
  return new Error('the crew has been closed');
}
