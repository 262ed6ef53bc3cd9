import type { PlannedSegment } from './plan-layer.js';

/** Segments for whoever packs them, while the layer is still being planned: first those that are told one by one, then the rest. */
export class SegmentFeed implements AsyncIterable<PlannedSegment> {
  readonly #told: PlannedSegment[] = [];
  #count = 0;
  #rest: Iterable<PlannedSegment> | undefined;
  #failure: unknown;
  #wake: () => void = () => {};

  /** How many have been told. */
  get count(): number {
    return this.#count;
  }

  tell(segment: PlannedSegment): void {
    this.#told.push(segment);
    this.#count += 1;
    this.#wake();
  }

  /** All segments of the layer, among them those that have been told. */
  finish(all: Iterable<PlannedSegment>): void {
    this.#rest = behind(all, this.#count);
    this.#wake();
  }

  /** There will be no more: whoever packs them must not take it for the end. */
  fail(error: unknown): void {
    this.#failure = error;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PlannedSegment> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const next = this.#told.shift();
      if (next !== undefined) yield next;
      else if (this.#rest !== undefined) break;
      else await this.#change();
    }
    yield* this.#rest;
  }

  #change(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve;
    });
  }
}

function* behind<T>(all: Iterable<T>, count: number): Generator<T> {
  let place = 0;
  for (const each of all) if (place++ >= count) yield each;
}
