import * as zlib from 'node:zlib';
import type { Compression } from '../oci/media-types.js';
import { aligned, margin } from './codec.js';
import { deflate, deflateRoom } from './deflate.js';
import { inflate } from './inflate.js';

type ZstdFunction = (bytes: Uint8Array, options: object) => Buffer;

/** zstd of Node's own, from 22.15 on. */
const { zstdCompressSync, zstdDecompressSync } = zlib as unknown as {
  readonly zstdCompressSync?: ZstdFunction;
  readonly zstdDecompressSync?: ZstdFunction;
};

export const canZstd = zstdCompressSync !== undefined;

/** Where in the buffer of a segment of so many bytes is what is packed of it: behind the segment, and what is written past it. */
export function packedAt(size: number): number {
  return aligned(size + margin);
}

/** Bytes of a buffer in which any segment of so many bytes fits, and behind it what is packed of it. */
export function segmentRoom(size: number): number {
  return packedAt(size) + deflateRoom(size) + margin;
}

/**
 * The bytes of one segment as they stand in the blob: the first of `into`, which has room for them, as `segmentRoom` says;
 * `undefined` without compression.
 *
 * gzip: raw deflate that begins with an empty window and ends on a byte boundary, so that segments can be put one behind
 * another, and each be inflated alone. zstd: one frame.
 */
export function compressSegment<B extends ArrayBufferLike>(
  raw: Uint8Array,
  compression: Compression,
  level: number,
  into: Uint8Array<B>,
): Uint8Array<B> | undefined {
  switch (compression) {
    case 'none':
      return undefined;
    case 'gzip':
      return deflate(raw, level, into);
    case 'zstd': {
      const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zlib.constants as unknown as Record<string, number>;
      const params = { [ZSTD_c_compressionLevel!]: level, [ZSTD_c_checksumFlag!]: 1 };
      const bytes = zstdCompressSync!(raw, { params });
      into.set(bytes);
      return into.subarray(0, bytes.length);
    }
  }
}

/** The inverse: fills `into`, and says whether that is the segment, no more and no less. */
export function inflateSegment(packed: Uint8Array, compression: 'gzip' | 'zstd', into: Uint8Array): boolean {
  if (compression === 'gzip') return inflate(packed, into);
  try {
    // A little room tells "exactly full" from "too much".
    const bytes = zstdDecompressSync!(packed, { maxOutputLength: into.length + 64 });
    if (bytes.length !== into.length) return false;
    into.set(bytes);
    return true;
  } catch {
    return false;
  }
}
