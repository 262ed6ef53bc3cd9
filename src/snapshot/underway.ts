import { raced } from '../stream/raced.js';

/**
 * Work that several ask for at the same time and that is done once. When the one who began it is told to stop, the next
 * one begins anew.
 */
export class Underway<T> {
  readonly #work = new Map<string, { readonly result: Promise<T>; readonly signal: AbortSignal | undefined }>();

  async do(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    for (;;) {
      signal?.throwIfAborted();
      const other = this.#work.get(key);
      if (other === undefined) {
        const result = work().finally(() => this.#work.delete(key));
        this.#work.set(key, { result, signal });
        return await result;
      }
      try {
        return await raced(other.result, signal);
      } catch (error) {
        if (signal?.aborted || !other.signal?.aborted) throw error;
      }
    }
  }
}
