import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ListedFolders } from './folder-lister.js';
import type { ScanJob } from './scan-job.js';
import code from './scan-worker.js?worker-code';

interface Member {
  readonly worker: Worker;
  /** Of what it has been given and not answered yet, oldest first. */
  readonly answers: Array<(listed: ListedFolders | undefined) => void>;
}

/** A file system answers more than a few at a time no faster. */
const mostThreads = 3;

/**
 * Threads that help to list a large context. Where they cannot be had, or one is lost, others do what it has not done. They
 * do not keep a process alive, and end with `close`.
 */
export class ScanCrew {
  readonly #threads: number;
  readonly #members: Member[] = [];
  readonly #ending: Promise<unknown>[] = [];
  #started = false;

  /** `threads`: how many, besides the one that calls; by default as many as there are further processors. */
  constructor(threads: number = availableParallelism() - 1) {
    this.#threads = Math.min(threads, mostThreads);
  }

  /** Whether there are threads, or were to be. */
  get started(): boolean {
    return this.#started;
  }

  /** Starts the threads. It takes them a while, in which others can get ready too. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (let i = 0; i < this.#threads; i++) {
      let worker: Worker;
      try {
        worker = new Worker(code, { eval: true, name: 'lading-scan', execArgv: [], env: {}, stdin: false });
      } catch {
        return;
      }
      const member: Member = { worker, answers: [] };
      worker.on('message', (listed: ListedFolders) => {
        // Nobody waits for one that has been given up.
        member.answers.shift()?.(listed);
        if (member.answers.length === 0) worker.unref();
      });
      worker.on('error', () => this.#lost(member));
      worker.on('exit', () => this.#lost(member));
      worker.unref();
      this.#members.push(member);
    }
  }

  /** Lets all threads work at a job: what each has listed in the end, or nothing when it is lost. */
  work(job: ScanJob): Array<Promise<ListedFolders | undefined>> {
    this.start();
    return this.#members.map(({ worker, answers }) => {
      worker.ref();
      worker.postMessage(job);
      return new Promise(resolve => answers.push(resolve));
    });
  }

  /** Ends the threads that have nothing to do. That takes a while, in which others go on; when they are needed they are started anew. */
  rest(): void {
    for (const member of this.#members.filter(({ answers }) => answers.length === 0)) this.#end(member);
    if (this.#ending.length > 0 && this.#members.length === 0) this.#started = false;
  }

  /** Ends the threads, whatever they are at. */
  async close(): Promise<void> {
    for (const member of [...this.#members]) this.#end(member);
    await Promise.all(this.#ending);
  }

  #end(member: Member): void {
    this.#ending.push(member.worker.terminate());
    this.#lost(member);
  }

  #lost(member: Member): void {
    const place = this.#members.indexOf(member);
    if (place >= 0) this.#members.splice(place, 1);
    for (const answer of member.answers.splice(0)) answer(undefined);
  }
}
