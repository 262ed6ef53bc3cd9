import type { Bytes, CallOptions } from './bytes.js';
import { raced } from './raced.js';

export interface Peeked {
  /** Fewer bytes than asked for only when there are no more. */
  readonly head: Uint8Array;
  /** Everything from the first byte on; can be read once. */
  readonly whole: Bytes;
}

/**
 * Looks at the first bytes of a stream. Whoever waits for a stream that says nothing, such as a terminal, is released by
 * the signal: the iteration then fails with its reason.
 */
export async function peek(content: Bytes, length: number, { signal }: CallOptions = {}): Promise<Peeked> {
  const iterator = content[Symbol.asyncIterator]();
  const next = (): Promise<IteratorResult<Uint8Array>> => raced(iterator.next(), signal);
  // A stream that hangs would not answer: nobody waits for it to be closed.
  const close = (): void => void iterator.return?.().catch(() => {});
  const taken: Uint8Array[] = [];
  let size = 0;
  try {
    while (size < length) {
      const { done, value } = await next();
      if (done === true) break;
      const chunk: Uint8Array = typeof value === 'string' ? Buffer.from(value) : value;
      taken.push(chunk);
      size += chunk.length;
    }
  } catch (error) {
    close();
    throw error;
  }
  const start = Buffer.concat(taken);
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      if (start.length > 0) yield start;
      for (let step = await next(); step.done !== true; step = await next()) yield step.value;
    } finally {
      close();
    }
  }
  return { head: start.subarray(0, length), whole: all() };
}
