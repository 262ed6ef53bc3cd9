/** Segments of layers inflated lately. Bounded by their number (each is a few MiB at most), not by layer. */
export class SegmentCache {
  readonly #limit: number;
  /** In the order of their last use. Promises, so that readers at the same time inflate a segment once. */
  readonly #segments = new Map<string, Promise<Uint8Array>>();

  constructor(limit = 8) {
    this.#limit = limit;
  }

  /** The segment, inflated now unless it is still there. What fails is not kept. */
  get(layer: string, segment: number, inflate: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const key = `${layer} ${segment}`;
    const found = this.#segments.get(key);
    this.#segments.delete(key);
    const promise = found ?? inflate();
    this.#segments.set(key, promise);
    if (found === undefined) {
      promise.catch(() => {
        if (this.#segments.get(key) === promise) this.#segments.delete(key);
      });
      if (this.#segments.size > this.#limit) this.#segments.delete(this.#segments.keys().next().value!);
    }
    return promise;
  }
}
