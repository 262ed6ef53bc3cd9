import { Worker } from 'node:worker_threads';
import type { HashAnswer, HashOrder } from './hash-worker.js';
import code from './hash-worker.js?worker-code';
import { type LayerDigests, LayerHashes, type LayerHashing, type LayerPiece } from './layer-hashes.js';

interface Waiting {
  readonly resolve: (answer: HashAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Pieces of a tar that are hashed sooner than a thread is there for them. */
const fewPieces = 2;

/**
 * Hashes layers in a thread of its own, started with the first layer that is worth it: a layer is hashed from its beginning
 * to its end, which nobody can share, while all else can be done meanwhile. Where there is no thread it is done in this one.
 * It does not keep a process alive, and ends with `close`.
 */
export class HashThread {
  #usable = true;
  readonly #isWorthIt: () => boolean;
  #worker: Worker | undefined;
  readonly #waiting: Waiting[] = [];
  #layers = 0;

  /** `isWorthIt` is asked when a layer turns out to be of more than a few pieces. */
  constructor(isWorthIt: () => boolean) {
    this.#isWorthIt = isWorthIt;
  }

  /** The hashes of one more layer. Nothing is done for it before it is known to be more than a few pieces. */
  layer(): LayerHashing {
    const layer = ++this.#layers;
    const held: Array<LayerPiece & { readonly done: () => void }> = [];
    let here: LayerHashes | undefined;
    let there = false;
    const begin = (inThisThread: boolean): void => {
      if (here !== undefined || there) return;
      if (inThisThread || !this.#start()) here = new LayerHashes();
      else there = true;
      for (const { done, ...piece } of held.splice(0)) void update(piece).then(done, done);
    };
    const update = async (piece: LayerPiece): Promise<void> => {
      if (there) await this.#ask({ kind: 'update', layer, piece });
      else here!.update(piece);
    };
    return {
      update: async piece => {
        if (here !== undefined || there) return await update(piece);
        const done = new Promise<void>(resolve => held.push({ ...piece, done: resolve }));
        if (held.filter(({ tar }) => tar !== undefined).length >= fewPieces) begin(false);
        await done;
      },
      digests: async () => {
        begin(true);
        return there ? ((await this.#ask({ kind: 'digests', layer })) as LayerDigests) : here!.digests();
      },
      drop: () => {
        if (there) this.#worker?.postMessage({ kind: 'drop', layer } satisfies HashOrder);
        for (const { done } of held.splice(0)) done();
      },
    };
  }

  /** What has not been answered is rejected. */
  async close(): Promise<void> {
    this.#usable = false;
    const worker = this.#worker;
    this.#lost(new Error('the thread has been ended'));
    await worker?.terminate();
  }

  #start(): boolean {
    if (this.#worker !== undefined) return true;
    if (!this.#usable || !this.#isWorthIt()) return false;
    let worker: Worker;
    try {
      worker = new Worker(code, { eval: true, name: 'lading-hash', execArgv: [], env: {}, stdin: false });
    } catch {
      this.#usable = false;
      return false;
    }
    worker.on('message', (answer: HashAnswer) => {
      this.#waiting.shift()!.resolve(answer);
      if (this.#waiting.length === 0) worker.unref();
    });
    worker.on('error', error => this.#lost(error));
    worker.on('exit', code => this.#lost(new Error(`a thread ended with ${code}`)));
    worker.unref();
    this.#worker = worker;
    return true;
  }

  #ask(order: HashOrder): Promise<HashAnswer> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.reject(new Error('the thread has been ended'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      worker.ref();
      worker.postMessage(order);
    });
  }

  #lost(error: unknown): void {
    this.#worker = undefined;
    this.#usable = false;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
