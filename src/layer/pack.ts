/**
 * From files to layer tars and back: headers, cutting into segments, compression, reading, unpacking. This folder knows
 * trees and bytes; it must not know Dockerfiles, the store's folders or any network.
 */
import type { PackOptions } from './layer-store.js';
import { type PackSegmentsOptions, packSegments } from './pack-segments.js';
import type { PlannedSegment } from './plan-layer.js';
import { segmentFormat } from './segment-format.js';
import { type LayerSink, type WrittenBlob, writeBlob } from './write-blob.js';

export interface PackLayerOptions
  extends PackOptions,
    Pick<PackSegmentsOptions, 'concurrency' | 'crew' | 'onFile' | 'onRows' | 'read'> {}

/**
 * Writes a layer into the sink, segment by segment. The same entries give the same bytes, whoever makes the segments and
 * wherever they are taken from. When it fails, every file is closed and nothing more is written; what the sink has then
 * is of no use.
 * @throws LadingError FILE_CHANGED, PATH_INVALID, INVALID_ARCHIVE, UNSUPPORTED (zstd), USAGE (level)
 * @throws UnusableSegment for a plan that takes over what is not there any more
 */
export async function packLayer(
  segments: Iterable<PlannedSegment> | AsyncIterable<PlannedSegment>,
  sink: LayerSink,
  { compression = 'gzip', level, onProgress, ...options }: PackLayerOptions,
): Promise<WrittenBlob> {
  const format = segmentFormat(compression, level);
  const hashing = options.crew.hashing();
  return await writeBlob(packSegments(segments, { ...options, format }), sink, { format, hashing, onProgress });
}
