import { Readable } from 'node:stream';
import type { CallOptions } from '../stream/bytes.js';
import type { ContentReader } from './content-reader.js';
import type { LayerEntry } from './entry.js';
import { SegmentFiller } from './segment-filler.js';
import { planSegments } from './segment-plan.js';

export interface WriteTarOptions extends CallOptions {
  /** Opens the bytes of files that lie in layers. */
  readonly read: ContentReader;
}

/** The entries, in the order given, as a plain tar: the bytes that `packLayer` compresses. Errors come from the stream. */
export function writeTar(entries: Iterable<LayerEntry>, options: WriteTarOptions): Readable {
  return Readable.from(tarChunks(entries, options), { objectMode: false, signal: options.signal });
}

async function* tarChunks(
  entries: Iterable<LayerEntry>,
  { read, signal }: WriteTarOptions,
): AsyncGenerator<Uint8Array> {
  const filler = new SegmentFiller(read, () => {}, { signal });
  try {
    for (const plan of planSegments(entries)) {
      // The chunks are the reader's: each needs memory of its own.
      const buffer = Buffer.allocUnsafe(plan.size);
      await filler.fill(plan, buffer);
      yield buffer;
    }
  } finally {
    filler.close();
  }
}
