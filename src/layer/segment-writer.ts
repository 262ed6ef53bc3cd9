import { crc32 } from 'node:zlib';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import { layerMediaType } from '../oci/media-types.js';
import { Digester } from '../stream/verified.js';
import type { LayerIndex } from '../tree/layer-index.js';
import type { PackOptions } from './layer-store.js';
import { createCompressor, type SegmentCompressor } from './segment-compressor.js';

/** Where the blob goes. A chunk belongs to the sink until `write` has returned or its promise is fulfilled, not longer. */
export interface LayerSink {
  write(chunk: Uint8Array): Promise<void> | void;
}

export interface SegmentWriterOptions extends PackOptions {
  /** Segments compressed at the same time; never changes the bytes. */
  readonly concurrency?: number | undefined;
}

/** A blob that is written whole, and what its tar hashes to. */
export interface WrittenBlob {
  readonly diffId: Digest;
  readonly blob: Descriptor;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** Absent where the blob is the tar itself, which needs no map. */
  readonly segments?: LayerIndex['segments'];
}

/** Node's thread pool has four threads: enough segments to keep them busy while the next one is read. */
const defaultConcurrency = 6;

interface Pending {
  readonly offset: number;
  readonly buffer: Buffer;
  readonly length: number;
  readonly packed: Promise<Uint8Array>;
}

/**
 * Compresses the segments of a tar, several at a time, and writes them in their order as one blob. Both digests are
 * taken on the way; memory is bounded by the segments in flight. Where the tar is cut decides the bytes, nothing else.
 */
export class SegmentWriter {
  readonly #sink: LayerSink;
  readonly #options: SegmentWriterOptions;
  readonly #compressor: SegmentCompressor;
  readonly #raw = new Digester();
  readonly #blob = new Digester();
  readonly #segments: Array<{ readonly offset: number; readonly blobOffset: number }> = [];
  readonly #inFlight: Pending[] = [];
  readonly #idle: Buffer[] = [];
  readonly #capacity: number;
  #crc = 0;

  /**
   * `capacity` is the length of the largest segment.
   * @throws LadingError UNSUPPORTED (zstd), USAGE (level)
   */
  constructor(sink: LayerSink, capacity: number, options: SegmentWriterOptions) {
    this.#sink = sink;
    this.#capacity = capacity;
    this.#options = options;
    this.#compressor = createCompressor(this.#compression, options.level);
  }

  get #compression(): NonNullable<PackOptions['compression']> {
    return this.#options.compression ?? 'gzip';
  }

  /** Room for the next segment, to be filled and given to `write`. */
  buffer(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(this.#capacity);
  }

  /** The first `length` bytes of the buffer are the next segment of the tar. The buffer is not the caller's any more. */
  async write(buffer: Buffer, length: number): Promise<void> {
    const offset = this.#raw.size;
    if (offset === 0) await this.#emit(this.#compressor.head);
    const bytes = buffer.subarray(0, length);
    this.#raw.update(bytes);
    if (this.#compressor.wantsCrc) this.#crc = crc32(bytes, this.#crc);
    const packed = this.#compressor.compress(bytes);
    // It is awaited in its turn; until then a failure must not count as unhandled.
    packed.catch(() => {});
    this.#inFlight.push({ offset, buffer, length, packed });
    const concurrency = Math.max(1, this.#options.concurrency ?? defaultConcurrency);
    if (this.#inFlight.length >= concurrency) await this.#emitOldest();
  }

  /** There are no more segments; there was at least one. */
  async end(): Promise<WrittenBlob> {
    while (this.#inFlight.length > 0) {
      this.#options.signal?.throwIfAborted();
      await this.#emitOldest();
    }
    await this.#emit(this.#compressor.tail(this.#crc, this.#raw.size));
    const diffId = this.#raw.digest();
    const compression = this.#compression;
    const plain = compression === 'none';
    const blob = {
      mediaType: layerMediaType(compression),
      digest: plain ? diffId : this.#blob.digest(),
      size: plain ? this.#raw.size : this.#blob.size,
    };
    return { diffId, blob, size: this.#raw.size, ...(plain ? {} : { segments: this.#segments }) };
  }

  /** To be called in the end, however it went: the pool may still work on buffers, and its results go to nobody. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#inFlight.map(({ packed }) => packed));
  }

  async #emitOldest(): Promise<void> {
    const { offset, buffer, length, packed } = this.#inFlight[0]!;
    const bytes = await packed;
    this.#inFlight.shift();
    this.#segments.push({ offset, blobOffset: this.#blob.size });
    await this.#emit(bytes);
    this.#idle.push(buffer);
    this.#options.onProgress?.(offset + length);
  }

  async #emit(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    // Without compression the blob is the tar, which is hashed already.
    if (this.#compression !== 'none') this.#blob.update(bytes);
    await this.#sink.write(bytes);
  }
}
