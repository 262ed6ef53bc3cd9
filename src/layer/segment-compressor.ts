import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { LadingError } from '../errors/errors.js';
import type { Compression } from '../oci/media-types.js';
import { zstdUnavailable } from '../stream/compression.js';

/**
 * Compresses the segments of one layer independently of each other, in whatever order they come; put one behind
 * another, between `head` and `tail`, the results are one ordinary compressed stream. The same bytes give the same
 * bytes. Node's own thread pool does the work here; an implementation with workers would do the same.
 */
export interface SegmentCompressor {
  readonly head: Uint8Array;
  compress(raw: Uint8Array): Promise<Uint8Array>;
  /** What ends the stream, given the CRC-32 and the length of all raw bytes. */
  tail(crc: number, length: number): Uint8Array;
  /** Whether `tail` needs the CRC. */
  readonly wantsCrc: boolean;
}

const nothing = new Uint8Array(0);

/** @throws LadingError UNSUPPORTED for zstd on a Node without it; USAGE for a level out of range */
export function createCompressor(compression: Compression, level?: number): SegmentCompressor {
  switch (compression) {
    case 'none':
      return { head: nothing, compress: async raw => raw, tail: () => nothing, wantsCrc: false };
    case 'gzip':
      return gzipCompressor(checkLevel(level ?? 6, 0, 9));
    case 'zstd':
      return zstdCompressor(checkLevel(level ?? 3, 1, 22));
  }
}

const deflateRaw = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);

/**
 * One gzip member (RFC 1952): no name, no time, operating system "unknown". A sync flush ends each segment on a byte
 * boundary with an empty block, and each begins with an empty window, so it can also be inflated alone.
 */
function gzipCompressor(level: number): SegmentCompressor {
  // The size of the output chunks can decide where zlib repeats a flush marker: it is part of the format, so to speak.
  const options = { level, finishFlush: zlib.constants.Z_SYNC_FLUSH, chunkSize: 512 * 1024 };
  return {
    head: Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff),
    compress: raw => deflateRaw(raw, options),
    tail: (crc, length) => {
      const tail = Buffer.alloc(10);
      // The last block: empty, with fixed codes.
      tail[0] = 0x03;
      tail.writeUInt32LE(crc, 2);
      tail.writeUInt32LE(length % 2 ** 32, 6);
      return tail;
    },
    wantsCrc: true,
  };
}

/** One frame a segment: frames behind one another are one zstd stream (RFC 8878). */
function zstdCompressor(level: number): SegmentCompressor {
  const { zstdCompress, constants } = zlib as unknown as {
    zstdCompress?: (raw: Uint8Array, options: object, done: (error: Error | null, frame: Buffer) => void) => void;
    constants: Record<string, number>;
  };
  if (zstdCompress === undefined) throw zstdUnavailable();
  const params = { [constants['ZSTD_c_compressionLevel']!]: level, [constants['ZSTD_c_checksumFlag']!]: 1 };
  const compress = promisify<Uint8Array, object, Buffer>(zstdCompress);
  return { head: nothing, compress: raw => compress(raw, { params }), tail: () => nothing, wantsCrc: false };
}

function checkLevel(level: number, least: number, most: number): number {
  if (Number.isInteger(level) && level >= least && level <= most) return level;
  throw new LadingError('USAGE', `the compression level must be a whole number from ${least} to ${most}`, {
    details: { option: 'compression-level' },
  });
}
