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

/** Where buffers are borrowed. */
export interface Lender {
  /** One of at least so many bytes, or none when there is none left. */
  lend(capacity: number): SharedBytes | undefined;
  /** Takes back what it has lent; says whether it had. */
  takeBack(raw: SharedBytes): boolean;
}

export interface InOrderOptions extends CallOptions {
  /** How many are under way at the same time, at least one. */
  readonly limit: number;
  /** Bytes of each buffer. */
  readonly capacity: number;
  /** Has better ones, as long as there are any. */
  readonly buffers: Lender;
}

/**
 * Starts work for each item, several at a time, and gives the results in the order of the items. When it ends early nothing
 * is left under way.
 */
export async function* inOrder<I, S extends Started<unknown>>(
  items: Iterable<I> | AsyncIterable<I>,
  start: (item: I, raw: SharedBytes, alone: boolean) => Promise<S>,
  { limit, capacity, buffers, signal }: InOrderOptions,
): AsyncGenerator<Done<S>> {
  const underWay: Array<{ readonly started: S; readonly raw: SharedBytes }> = [];
  const idle: SharedBytes[] = [];
  const inUse = new Set<SharedBytes>();
  let ended = false;
  const buffer = (): SharedBytes => {
    const raw = buffers.lend(capacity) ?? idle.pop() ?? sharedBytes(capacity);
    inUse.add(raw);
    return raw;
  };
  const release = (raw: SharedBytes): void => {
    if (inUse.delete(raw) && !buffers.takeBack(raw)) idle.push(raw);
  };
  const take = async (): Promise<Done<S>> => {
    const { started, raw } = underWay[0]!;
    const result = (await started.result) as Awaited<S['result']>;
    underWay.shift();
    return { started, result, release: () => release(raw) };
  };
  try {
    for await (const item of items) {
      // What is done here is synchronous: timers, signals and other work get their turn.
      await setImmediate();
      signal?.throwIfAborted();
      const raw = buffer();
      const started = await start(item, raw, underWay.length === 0);
      // It is awaited in its turn; until then a failure must not count as unhandled.
      started.result.catch(() => {});
      underWay.push({ started, raw });
      if (underWay.length >= limit) yield await take();
    }
    while (underWay.length > 0) {
      signal?.throwIfAborted();
      yield await take();
    }
    ended = true;
  } finally {
    // Someone works on these buffers; the results have no one else to go to.
    await Promise.allSettled(underWay.map(({ started }) => started.result));
    // Nobody has a use any more for what came of the others, either.
    if (!ended) for (const raw of inUse) release(raw);
  }
}
