import type { Descriptor } from '../oci/descriptor.js';
import type { CallOptions } from '../stream/bytes.js';
import { type Rereadable, rereadable } from '../stream/rereadable.js';
import type { ContentSource, PartSource } from './content.js';

/** A blob of a source as content that is opened when, and as often as, its taker reads. Not checked; the taker does. */
export function contentOf(source: ContentSource, descriptor: Descriptor, options: CallOptions): Rereadable {
  return rereadable(async function* from(offset) {
    const parts = isPartSource(source);
    const stream = parts ? await source.openFrom(descriptor, offset, options) : await source.open(descriptor, options);
    // Listens for as long as the stream lives: one that is destroyed before anybody reads it must not end the process.
    stream.on('error', () => {});
    let toSkip = parts ? 0 : offset;
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        const wanted = toSkip > 0 ? chunk.subarray(toSkip) : chunk;
        toSkip -= chunk.length - wanted.length;
        if (wanted.length > 0) yield wanted;
      }
    } finally {
      stream.destroy();
    }
  });
}

function isPartSource(source: ContentSource): source is ContentSource & PartSource {
  return 'openFrom' in source && typeof source.openFrom === 'function';
}
