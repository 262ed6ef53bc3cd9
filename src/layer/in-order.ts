import { setImmediate } from 'node:timers/promises';
import type { CallOptions } from '../stream/bytes.js';

/** Work that has been started, with a buffer that comes back with its result. */
export interface Started<R> {
  readonly result: Promise<R & { readonly raw: Uint8Array<ArrayBuffer> }>;
}

export interface InOrderOptions extends CallOptions {
  /** How many are under way at the same time, at least one. */
  readonly limit: number;
  /** Bytes of each buffer. */
  readonly capacity: number;
}

/**
 * Starts work for each item, several at a time, and gives the results in the order of the items. The buffer of a result
 * is used again when the next one is asked for. When it ends early nothing is left under way.
 */
export async function* inOrder<I, S extends Started<unknown>>(
  items: Iterable<I> | AsyncIterable<I>,
  start: (item: I, raw: Uint8Array<ArrayBuffer>, alone: boolean) => Promise<S>,
  { limit, capacity, signal }: InOrderOptions,
): AsyncGenerator<readonly [S, Awaited<S['result']>]> {
  const underWay: S[] = [];
  const idle: Uint8Array<ArrayBuffer>[] = [];
  const take = async (): Promise<readonly [S, Awaited<S['result']>]> => {
    const result = (await underWay[0]!.result) as Awaited<S['result']>;
    return [underWay.shift()!, result];
  };
  try {
    for await (const item of items) {
      // What is done here is synchronous: timers, signals and other work get their turn.
      await setImmediate();
      signal?.throwIfAborted();
      const raw = idle.pop() ?? new Uint8Array(new ArrayBuffer(capacity));
      const started = await start(item, raw, underWay.length === 0);
      // It is awaited in its turn; until then a failure must not count as unhandled.
      started.result.catch(() => {});
      underWay.push(started);
      if (underWay.length < limit) continue;
      const taken = await take();
      yield taken;
      idle.push(taken[1].raw);
    }
    while (underWay.length > 0) {
      signal?.throwIfAborted();
      const taken = await take();
      yield taken;
      idle.push(taken[1].raw);
    }
  } finally {
    // Someone works on these buffers; the results have no one else to go to.
    await Promise.allSettled(underWay.map(({ result }) => result));
  }
}
