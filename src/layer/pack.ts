/**
 * From files to layer tars and back: headers, cutting into segments, compression, reading, unpacking. This folder knows
 * trees and bytes; it must not know Dockerfiles, the store's folders or any network.
 */
import { setImmediate } from 'node:timers/promises';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { IndexEntry, LayerIndex } from '../tree/layer-index.js';
import type { ContentReader } from './content-reader.js';
import type { LayerEntry } from './entry.js';
import { SegmentFiller } from './segment-filler.js';
import { planSegments, segmentCapacity } from './segment-plan.js';
import { type LayerSink, SegmentWriter, type SegmentWriterOptions } from './segment-writer.js';

export interface PackLayerOptions extends SegmentWriterOptions {
  /** Opens the bytes of files that lie in other layers. */
  readonly read: ContentReader;
}

export interface PackResult {
  readonly diffId: Digest;
  readonly blob: Descriptor;
  readonly index: LayerIndex;
}

/**
 * Writes entries, in the order given, as a layer into the sink. Reading and hashing happen here while the thread pool
 * compresses; memory is bounded by the segments in flight. The same entries give the same bytes. When it fails, every
 * file is closed and nothing more is written; what the sink has then is of no use.
 * @throws LadingError FILE_CHANGED, PATH_INVALID, INVALID_ARCHIVE, UNSUPPORTED (zstd), USAGE (level)
 */
export async function packLayer(
  entries: Iterable<LayerEntry>,
  sink: LayerSink,
  options: PackLayerOptions,
): Promise<PackResult> {
  const { signal } = options;
  const writer = new SegmentWriter(sink, segmentCapacity, options);
  const indexEntries: IndexEntry[] = [];
  const filler = new SegmentFiller(options.read, entry => indexEntries.push(entry), { signal });
  try {
    for (const plan of planSegments(entries)) {
      // Reading is synchronous: timers, signals and other work get their turn between segments.
      await setImmediate();
      signal?.throwIfAborted();
      const buffer = writer.buffer();
      await filler.fill(plan, buffer);
      await writer.write(buffer, plan.size);
    }
    const { diffId, blob, size, segments } = await writer.end();
    return { diffId, blob, index: { diffId, size, entries: indexEntries, ...(segments ? { segments } : {}) } };
  } finally {
    filler.close();
    await writer.settle();
  }
}
