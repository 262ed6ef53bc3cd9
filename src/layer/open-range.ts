import { Readable } from 'node:stream';
import { LadingError } from '../errors/errors.js';
import type { Compression } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import { zstdUnavailable } from '../stream/zstd.js';
import type { LayerIndex } from '../tree/layer-index.js';
import type { SegmentCache } from './segment-cache.js';
import { canZstd, inflateSegment } from './segment-codec.js';

/** A stored layer that can be read at any offset: uncompressed, or packed here with a segment map. */
export interface SeekableLayer {
  readonly compression: Compression;
  readonly index: Pick<LayerIndex, 'diffId' | 'size' | 'segments'>;
  /** Bytes of the blob. */
  readonly blobSize: number;
  /** The bytes of the blob from `start` up to, but not including, `end`; fewer only where the blob ends. */
  readonly readBlob: (start: number, end: number) => Promise<Uint8Array>;
}

export interface OpenRangeOptions extends CallOptions {
  /** Keeps segments that were inflated lately: for many small files read one after another. */
  readonly cache?: SegmentCache | undefined;
}

/** Pieces in which uncompressed blobs are read. */
const pieceSize = 1024 * 1024;
/** A damaged map must not make us inflate a whole layer into memory. */
const segmentLimit = 16 * 1024 * 1024;

/** Whether {@link openSegmentRange} can read this layer without inflating what lies before the range. */
export function isSeekable(compression: Compression, index: Pick<LayerIndex, 'segments'>): boolean {
  return compression === 'none' || (index.segments !== undefined && index.segments.length > 0);
}

/**
 * `length` bytes at `offset` of a layer's uncompressed tar. The stream fails with `CORRUPT_STREAM` when the blob does
 * not hold what the index says; digests are not checked here.
 */
export function openSegmentRange(
  layer: SeekableLayer,
  offset: number,
  length: number,
  options: OpenRangeOptions = {},
): Readable {
  if (!(offset >= 0 && length >= 0 && offset + length <= layer.index.size)) {
    throw new Error(`the range ${offset}+${length} is not in the layer of ${layer.index.size} bytes`);
  }
  const chunks =
    layer.compression === 'none' ? plainChunks(layer, offset, length) : chunksOf(layer, offset, length, options);
  return Readable.from(chunks, { objectMode: false, signal: options.signal });
}

async function* plainChunks(layer: SeekableLayer, offset: number, length: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < offset + length; ) {
    const chunk = await layer.readBlob(at, Math.min(at + pieceSize, offset + length));
    if (chunk.length === 0) throw corrupt(layer);
    yield chunk;
    at += chunk.length;
  }
}

async function* chunksOf(
  layer: SeekableLayer,
  offset: number,
  length: number,
  { cache, signal }: OpenRangeOptions,
): AsyncGenerator<Uint8Array> {
  const end = offset + length;
  for (let number = segmentAt(layer, offset), at = offset; at < end; number++) {
    signal?.throwIfAborted();
    const start = layer.index.segments![number]!.offset;
    const inflate = (): Promise<Uint8Array> => readSegment(layer, number);
    const segment = await (cache === undefined ? inflate() : cache.get(layer.index.diffId, number, inflate));
    const chunk = segment.subarray(at - start, end - start);
    yield chunk;
    at += chunk.length;
  }
}

/** The segment that holds the byte at `offset`. */
function segmentAt(layer: SeekableLayer, offset: number): number {
  const segments = layer.index.segments;
  if (segments === undefined || segments[0]?.offset !== 0) throw corrupt(layer);
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (segments[middle]!.offset <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

async function readSegment(layer: SeekableLayer, number: number): Promise<Uint8Array> {
  const segments = layer.index.segments!;
  const { offset, blobOffset } = segments[number]!;
  const next = segments[number + 1];
  const size = (next?.offset ?? layer.index.size) - offset;
  const blobEnd = next?.blobOffset ?? layer.blobSize;
  if (!(size > 0 && size <= segmentLimit && blobEnd > blobOffset && blobEnd - blobOffset <= 2 * segmentLimit)) {
    throw corrupt(layer);
  }
  const packed = await layer.readBlob(blobOffset, blobEnd);
  const { compression } = layer;
  if (compression === 'zstd' && !canZstd) throw zstdUnavailable();
  const raw = Buffer.allocUnsafeSlow(size);
  if (compression === 'none' || !inflateSegment(packed, compression, raw)) throw corrupt(layer);
  return raw;
}

function corrupt(layer: SeekableLayer): LadingError<'CORRUPT_STREAM'> {
  const what = `the layer ${layer.index.diffId}`;
  return new LadingError('CORRUPT_STREAM', `${what} does not hold what its index says`, {
    details: { what },
    hint: 'The blob or its index is damaged: check the store with lading fsck.',
  });
}
