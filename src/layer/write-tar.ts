import { Readable } from 'node:stream';
import type { CallOptions } from '../stream/bytes.js';
import type { ContentReader } from './content-reader.js';
import type { LayerEntry } from './entry.js';
import { packSegments } from './pack-segments.js';
import { unplanned } from './plan-layer.js';
import { SegmentCrew } from './segment-crew.js';
import { segmentFormat } from './segment-format.js';

export interface WriteTarOptions extends CallOptions {
  /** Opens the bytes of files that lie in a store. */
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
  // Nothing is compressed: threads would not help.
  const crew = new SegmentCrew(0);
  const format = segmentFormat('none');
  for await (const { raw } of packSegments(unplanned(entries), { crew, format, read, signal })) {
    // The chunks are the reader's: each needs memory of its own.
    yield Buffer.from(raw);
  }
}
