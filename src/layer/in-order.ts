import { setImmediate } from 'node:timers/promises';
import type { CallOptions } from '../stream/bytes.js';
import { type SharedBytes, sharedBytes } from './shared-bytes.js';

/** Work that has been started, with a buffer that comes back with its result. */
export interface Started<R> {
  readonly result: Promise<R & { readonly raw: SharedBytes }>;
}

/** Work that is done. */
export interface Done<S extends Started<unknown>> {
  readonly started: S;
  readonly result: Awaited<S['result']>;
  /** The buffer is not needed any more: other work gets it. */
  readonly release: () => void;
}

export interface InOrderOptions extends CallOptions {
  /** How many are under way at the same time, at least one. */
  readonly limit: number;
  /** Bytes of each buffer. */
  readonly capacity: number;
}

/**
 * Starts work for each item, several at a time, and gives the results in the order of the items. When it ends early nothing
 * is left under way.
 */
export async function* inOrder<I, S extends Started<unknown>>(
  items: Iterable<I> | AsyncIterable<I>,
  start: (item: I, raw: SharedBytes, alone: boolean) => Promise<S>,
  { limit, capacity, signal }: InOrderOptions,
): AsyncGenerator<Done<S>> {
  const underWay: S[] = [];
  const idle: SharedBytes[] = [];
  const take = async (): Promise<Done<S>> => {
    const result = (await underWay[0]!.result) as Awaited<S['result']>;
    return { started: underWay.shift()!, result, release: () => void idle.push(result.raw) };
  };
  try {
    for await (const item of items) {
      // What is done here is synchronous: timers, signals and other work get their turn.
      await setImmediate();
      signal?.throwIfAborted();
      const started = await start(item, idle.pop() ?? sharedBytes(capacity), underWay.length === 0);
      // It is awaited in its turn; until then a failure must not count as unhandled.
      started.result.catch(() => {});
      underWay.push(started);
      if (underWay.length >= limit) yield await take();
    }
    while (underWay.length > 0) {
      signal?.throwIfAborted();
      yield await take();
    }
  } finally {
    // Someone works on these buffers; the results have no one else to go to.
    await Promise.allSettled(underWay.map(({ result }) => result));
  }
}
