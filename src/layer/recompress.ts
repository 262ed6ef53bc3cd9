import type { Bytes } from '../stream/bytes.js';
import { hostReads } from './host-reads.js';
import { inOrder } from './in-order.js';
import type { PackOptions } from './layer-store.js';
import { segmentRoom } from './segment-codec.js';
import type { SegmentCrew } from './segment-crew.js';
import { type SegmentFormat, segmentFormat } from './segment-format.js';
import type { PackedSegment } from './segment-job.js';
import type { SharedBytes } from './shared-bytes.js';
import { type LayerSink, type Segment, type WrittenBlob, writeBlob } from './write-blob.js';

/** Bytes of a segment; the last one is shorter. The cuts decide the bytes of the blob, so they are the same for every tar. */
const segmentSize = 1024 * 1024;

export interface RecompressOptions extends PackOptions {
  readonly crew: SegmentCrew;
}

/**
 * Compresses a tar as it stands, whoever made it, to the same blob wherever that is done.
 * @throws LadingError UNSUPPORTED (zstd), USAGE (level), and whatever `content` fails with
 */
export async function recompress(content: Bytes, sink: LayerSink, options: RecompressOptions): Promise<WrittenBlob> {
  const { compression = 'gzip', level, onProgress } = options;
  const format = segmentFormat(compression, level);
  const hashing = options.crew.hashing();
  return await writeBlob(recompressed(content, format, options), sink, { format, hashing, onProgress });
}

async function* recompressed(
  content: Bytes,
  format: SegmentFormat,
  { crew, signal }: RecompressOptions,
): AsyncGenerator<Segment> {
  const { compression, level } = format;
  const job = { kind: 'segment', reads: hostReads([]), contents: new Float64Array(), compression, level } as const;
  const start = async (piece: Uint8Array, raw: SharedBytes, alone: boolean) => {
    raw.set(piece);
    const size = piece.length;
    const result = crew.run({ ...job, raw, size }, { alone: alone && size < segmentSize }) as Promise<PackedSegment>;
    return { size, result };
  };
  const options = { limit: crew.capacity, capacity: segmentRoom(segmentSize), buffers: crew, signal };
  for await (const { started, result, release } of inOrder(inPieces(content), start, options)) {
    const { raw, packed, crc, packedCrc } = result;
    const bytes = raw.subarray(0, started.size);
    // Cut without regard to files: no layer that is packed has such segments.
    yield { raw: bytes, packed: packed ?? bytes, crc, packedCrc, key: () => '', release };
  }
}

/** All of equal length but the last one; the memory of one is used for the next. */
async function* inPieces(content: Bytes): AsyncGenerator<Uint8Array> {
  const piece = Buffer.allocUnsafeSlow(segmentSize);
  let length = 0;
  let whole = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + segmentSize - length);
      piece.set(part, length);
      length += part.length;
      at += part.length;
      if (length < segmentSize) continue;
      yield piece;
      whole += 1;
      length = 0;
    }
  }
  // Of nothing there is one as well: a blob is never without a segment.
  if (length > 0 || whole === 0) yield piece.subarray(0, length);
}
