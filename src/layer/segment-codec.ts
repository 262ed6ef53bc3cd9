import * as zlib from 'node:zlib';
import type { Compression } from '../oci/media-types.js';
import { deflate } from './deflate.js';
import { inflate } from './inflate.js';

type ZstdFunction = (bytes: Uint8Array, options: object) => Buffer;

/** zstd of Node's own, from 22.15 on. */
const { zstdCompressSync, zstdDecompressSync } = zlib as unknown as {
  readonly zstdCompressSync?: ZstdFunction;
  readonly zstdDecompressSync?: ZstdFunction;
};

export const canZstd = zstdCompressSync !== undefined;

/** Room that any segment of so many bytes fits in when it is compressed: what does not become smaller grows a little. */
export function packedRoom(size: number): number {
  return size + (size >> 8) + 1024;
}

/**
 * The bytes of one segment as they stand in the blob, in memory that the next call may use again; `undefined` without
 * compression.
 *
 * gzip: raw deflate that begins with an empty window and ends on a byte boundary, so that segments can be put one behind
 * another, and each be inflated alone. zstd: one frame.
 */
export function compressSegment(raw: Uint8Array, compression: Compression, level: number): Uint8Array | undefined {
  switch (compression) {
    case 'none':
      return undefined;
    case 'gzip':
      return deflate(raw, level);
    case 'zstd': {
      const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zlib.constants as unknown as Record<string, number>;
      return zstdCompressSync!(raw, { params: { [ZSTD_c_compressionLevel!]: level, [ZSTD_c_checksumFlag!]: 1 } });
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
