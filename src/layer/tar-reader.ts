import type { Bytes, CallOptions } from '../stream/bytes.js';
import type { TarEntry, TarLimits } from './tar-entry.js';
import { TarParser } from './tar-parser.js';

export interface ReadTarOptions extends CallOptions {
  readonly limits?: TarLimits | undefined;
}

/** An entry with its content: `content` can be read once, and only until the next entry is asked for. */
export interface TarItem extends TarEntry {
  readonly content: AsyncGenerator<Uint8Array>;
}

type TarEvent =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly chunk: Uint8Array }
  | { readonly kind: 'hole'; readonly length: number }
  | { readonly kind: 'end' };

const zeros = new Uint8Array(64 * 1024);

/**
 * The entries of an uncompressed tar, one after another; content that is not read is passed over. Holes of sparse
 * files are read as zeros. Breaking off closes `content`.
 * @throws LadingError INVALID_ARCHIVE
 */
export async function* readTar(content: Bytes, options: ReadTarOptions = {}): AsyncGenerator<TarItem> {
  const events = parseEvents(content, options);
  try {
    for (;;) {
      const event = await events();
      if (event === undefined) return;
      if (event.kind !== 'entry') continue;
      const body = entryContent(events);
      yield { ...event.entry, content: body };
      await drain(body, events);
    }
  } finally {
    await events.close();
  }
}

interface EventSource {
  /** The next event; `undefined` at the end. */
  (): Promise<TarEvent | undefined> | TarEvent | undefined;
  close(): Promise<void>;
  /** The current entry's last event has been taken. */
  atEntryEnd: boolean;
}

/** Events are made a chunk at a time, so their number in memory is bounded by the size of the chunks. */
function parseEvents(content: Bytes, { signal, limits }: ReadTarOptions): EventSource {
  let queue: TarEvent[] = [];
  let taken = 0;
  const parser = new TarParser(
    {
      entry: entry => queue.push({ kind: 'entry', entry }),
      data: chunk => queue.push({ kind: 'data', chunk }),
      hole: length => queue.push({ kind: 'hole', length }),
      entryEnd: () => queue.push({ kind: 'end' }),
    },
    limits,
  );
  const iterator = content[Symbol.asyncIterator]();
  let failure: unknown;
  let ended = false;
  const refill = async (): Promise<TarEvent | undefined> => {
    queue = [];
    taken = 0;
    while (queue.length === 0) {
      // Entries before a fault are delivered first.
      if (failure !== undefined) throw failure;
      if (ended) return undefined;
      signal?.throwIfAborted();
      const { done, value } = await iterator.next();
      try {
        if (done === true) parser.end();
        else parser.push(value);
      } catch (error) {
        failure = error;
      }
      ended = done === true;
    }
    return take();
  };
  const take = (): TarEvent => {
    const event = queue[taken]!;
    taken += 1;
    source.atEntryEnd = event.kind === 'end';
    return event;
  };
  const next = (): Promise<TarEvent | undefined> | TarEvent => (taken < queue.length ? take() : refill());
  const source: EventSource = Object.assign(next, {
    atEntryEnd: true,
    close: async (): Promise<void> => {
      if (!ended) await iterator.return?.();
    },
  });
  return source;
}

async function* entryContent(events: EventSource): AsyncGenerator<Uint8Array> {
  while (!events.atEntryEnd) {
    const event = await events();
    if (event === undefined || event.kind === 'end') return;
    if (event.kind === 'data') yield event.chunk;
    if (event.kind === 'hole') yield* zeroBytes(event.length);
  }
}

function* zeroBytes(length: number): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= zeros.length) yield left < zeros.length ? zeros.subarray(0, left) : zeros;
}

/** Passes over what the caller left of an entry. */
async function drain(body: AsyncGenerator<Uint8Array>, events: EventSource): Promise<void> {
  await body.return(undefined);
  while (!events.atEntryEnd) await events();
}
