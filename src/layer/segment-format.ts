import { versions } from 'node:process';
import { LadingError } from '../errors/errors.js';
import type { Compression } from '../oci/media-types.js';
import { zstdUnavailable } from '../stream/zstd.js';
import { canDeflate } from './deflate.js';
import { canZstd } from './segment-codec.js';

/** How the segments of a layer are compressed; between `head` and `tail` they are one ordinary compressed stream. */
export interface SegmentFormat {
  readonly compression: Compression;
  readonly level: number;
  readonly head: Uint8Array;
  /** What ends the stream, given the CRC-32 and the length of all raw bytes. */
  tail(crc: number, length: number): Uint8Array;
  /** All that decides the compressed bytes besides the raw ones: two formats with the same text give the same bytes. */
  readonly recipe: string;
}

/** Changes when the same entries are cut or compressed in another way. */
const formatVersion = 3;
/** Changes when `wasm/` gives other bytes: what was compressed before is not taken over then. */
const deflateVersion = 4;
const nothing = new Uint8Array(0);

/** Chosen from the table in docs/benchmarks.md. */
export const defaultLevels: Readonly<Record<Compression, number>> = { gzip: 4, zstd: 3, none: 0 };

/** @throws LadingError UNSUPPORTED for zstd, or gzip, on a Node without it; USAGE for a level out of range */
export function segmentFormat(compression: Compression, level: number = defaultLevels[compression]): SegmentFormat {
  const recipe = recipeOf(compression, level);
  switch (compression) {
    case 'none':
      return { compression, level: 0, head: nothing, tail: () => nothing, recipe };
    case 'gzip':
      if (!canDeflate) throw deflateUnavailable();
      return { compression, level: checkLevel(level, 0, 9), head: gzipHead, tail: gzipTail, recipe };
    case 'zstd':
      if (!canZstd) throw zstdUnavailable();
      // Frames behind one another are one zstd stream (RFC 8878).
      return { compression, level: checkLevel(level, 1, 22), head: nothing, tail: () => nothing, recipe };
  }
}

function deflateUnavailable(): LadingError<'UNSUPPORTED'> {
  return new LadingError('UNSUPPORTED', 'this Node cannot write gzip, because it has no WebAssembly', {
    details: { feature: 'gzip' },
    hint: 'Start Node without --jitless, or build with --compression none.',
  });
}

/** Other versions of zstd may give other bytes, so results of one are not those of another. */
function recipeOf(compression: Compression, level: number): string {
  const compressor = { none: '', gzip: ` ${level} deflate ${deflateVersion}`, zstd: ` ${level} zstd ${versions.zstd}` }[
    compression
  ];
  return `segments ${formatVersion} ${compression}${compressor}`;
}

/** One gzip member (RFC 1952): no name, no time, operating system "unknown". */
const gzipHead = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

/** Bytes of the tail. */
export function tailSize(compression: Compression): number {
  return compression === 'gzip' ? 10 : 0;
}

function gzipTail(crc: number, length: number): Uint8Array {
  const tail = Buffer.alloc(tailSize('gzip'));
  // The last block: empty, with fixed codes.
  tail[0] = 0x03;
  tail.writeUInt32LE(crc, 2);
  tail.writeUInt32LE(length % 2 ** 32, 6);
  return tail;
}

function checkLevel(level: number, least: number, most: number): number {
  if (Number.isInteger(level) && level >= least && level <= most) return level;
  throw new LadingError('USAGE', `the compression level must be a whole number from ${least} to ${most}`, {
    details: { option: 'compression-level' },
  });
}
