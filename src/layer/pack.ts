/**
 * From files to layer tars and back: headers, cutting into segments, compression, reading, unpacking. This folder knows
 * trees and bytes; it must not know Dockerfiles, the store's folders or any network.
 */
import type { ContentReader } from './content-reader.js';
import type { LayerEntry } from './entry.js';
import type { PackOptions } from './layer-store.js';
import { packSegments } from './pack-segments.js';
import type { SegmentCrew } from './segment-crew.js';
import { segmentFormat } from './segment-format.js';
import type { SimilarLayer } from './similar-layer.js';
import { type LayerSink, type WrittenBlob, writeBlob } from './write-blob.js';

export interface PackLayerOptions extends Omit<PackOptions, 'similar'> {
  /** Opens the bytes of files that lie in a store. */
  readonly read: ContentReader;
  readonly crew: SegmentCrew;
  /** Segments of this layer are taken as they are, when they are the same. */
  readonly similar?: SimilarLayer | undefined;
  /** Segments made at the same time; never changes the bytes. */
  readonly concurrency?: number | undefined;
}

/**
 * Writes entries, in the order given, as a layer into the sink. The same entries give the same bytes, whoever makes the
 * segments and wherever they are taken from. When it fails, every file is closed and nothing more is written; what the
 * sink has then is of no use.
 * @throws LadingError FILE_CHANGED, PATH_INVALID, INVALID_ARCHIVE, UNSUPPORTED (zstd), USAGE (level)
 */
export async function packLayer(
  entries: Iterable<LayerEntry>,
  sink: LayerSink,
  options: PackLayerOptions,
): Promise<WrittenBlob> {
  const { compression = 'gzip', crew, read, similar, concurrency, signal, onProgress, onEntry = () => {} } = options;
  const format = segmentFormat(compression, options.level);
  const packing = packSegments(entries, { crew, format, read, similar, concurrency, signal, onEntry });
  return await writeBlob(packing, sink, format, onProgress);
}
