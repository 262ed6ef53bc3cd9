import type { Bytes } from '../stream/bytes.js';
import { type LayerSink, SegmentWriter, type SegmentWriterOptions, type WrittenBlob } from './segment-writer.js';

/** Bytes of a segment; the last one is shorter. The cuts decide the bytes of the blob, so they are the same for every tar. */
const segmentSize = 1024 * 1024;

/**
 * Compresses a tar as it stands, whoever made it, to the same blob wherever that is done.
 * @throws LadingError UNSUPPORTED (zstd), USAGE (level), and whatever `content` fails with
 */
export async function recompress(
  content: Bytes,
  sink: LayerSink,
  options: SegmentWriterOptions = {},
): Promise<WrittenBlob> {
  const writer = new SegmentWriter(sink, segmentSize, options);
  let buffer = writer.buffer();
  let length = 0;
  try {
    for await (const chunk of content) {
      options.signal?.throwIfAborted();
      for (let at = 0; at < chunk.length; ) {
        if (length === segmentSize) {
          await writer.write(buffer, length);
          buffer = writer.buffer();
          length = 0;
        }
        const piece = chunk.subarray(at, at + segmentSize - length);
        buffer.set(piece, length);
        length += piece.length;
        at += piece.length;
      }
    }
    await writer.write(buffer, length);
    return await writer.end();
  } finally {
    await writer.settle();
  }
}
