/**
 * From files to layer tars and back: headers, cutting into segments, compression, reading, unpacking. This folder knows
 * trees and bytes; it must not know Dockerfiles, the store's folders or any network.
 */
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import { layerMediaType } from '../oci/media-types.js';
import { Digester } from '../stream/verified.js';
import type { IndexEntry, LayerIndex } from '../tree/layer-index.js';
import type { ContentReader } from './content-reader.js';
import type { LayerEntry } from './entry.js';
import type { PackOptions } from './layer-store.js';
import { createCompressor } from './segment-compressor.js';
import { SegmentFiller } from './segment-filler.js';
import { planSegments, type SegmentPlan, segmentCapacity } from './segment-plan.js';

/** Where the blob goes. A chunk belongs to the sink until `write` has returned or its promise is fulfilled, not longer. */
export interface LayerSink {
  write(chunk: Uint8Array): Promise<void> | void;
}

export interface PackLayerOptions extends PackOptions {
  /** Opens the bytes of files that lie in other layers. */
  readonly read: ContentReader;
  /** Segments compressed at the same time; never changes the bytes. */
  readonly concurrency?: number | undefined;
}

export interface PackResult {
  readonly diffId: Digest;
  readonly blob: Descriptor;
  readonly index: LayerIndex;
}

/** Node's thread pool has four threads: enough segments to keep them busy while the next one is read. */
const defaultConcurrency = 6;

/**
 * Writes entries, in the order given, as a layer into the sink. Reading and hashing happen here while the thread pool
 * compresses; memory is bounded by the segments in flight. The same entries give the same bytes. When it fails, every
 * file is closed and nothing more is written; what the sink has then is of no use.
 * @throws LadingError FILE_CHANGED, PATH_INVALID, INVALID_ARCHIVE, UNSUPPORTED (zstd), USAGE (level)
 */
export async function packLayer(
  entries: Iterable<LayerEntry>,
  sink: LayerSink,
  options: PackLayerOptions,
): Promise<PackResult> {
  const { compression = 'gzip', signal } = options;
  const compressor = createCompressor(compression, options.level);
  const concurrency = Math.max(1, options.concurrency ?? defaultConcurrency);
  const raw = new Digester();
  const blob = new Digester();
  const indexEntries: IndexEntry[] = [];
  const segments: Array<{ readonly offset: number; readonly blobOffset: number }> = [];
  const filler = new SegmentFiller(options.read, entry => indexEntries.push(entry), { signal });
  const inFlight: Array<{ readonly plan: SegmentPlan; readonly buffer: Buffer; readonly packed: Promise<Uint8Array> }> =
    [];
  const idleBuffers: Buffer[] = [];
  let crc = 0;

  const emit = async (bytes: Uint8Array): Promise<void> => {
    if (bytes.length === 0) return;
    // Without compression the blob is the tar, which is hashed already.
    if (compression !== 'none') blob.update(bytes);
    await sink.write(bytes);
  };
  const emitOldest = async (): Promise<void> => {
    const { plan, buffer, packed } = inFlight[0]!;
    const bytes = await packed;
    inFlight.shift();
    segments.push({ offset: plan.offset, blobOffset: blob.size });
    await emit(bytes);
    idleBuffers.push(buffer);
    options.onProgress?.(plan.offset + plan.size);
  };

  try {
    await emit(compressor.head);
    for (const plan of planSegments(entries)) {
      // Reading is synchronous: timers, signals and other work get their turn between segments.
      await setImmediate();
      signal?.throwIfAborted();
      const buffer = idleBuffers.pop() ?? Buffer.allocUnsafeSlow(segmentCapacity);
      await filler.fill(plan, buffer);
      const bytes = buffer.subarray(0, plan.size);
      raw.update(bytes);
      if (compressor.wantsCrc) crc = crc32(bytes, crc);
      const packed = compressor.compress(bytes);
      // It is awaited in its turn; until then a failure must not count as unhandled.
      packed.catch(() => {});
      inFlight.push({ plan, buffer, packed });
      if (inFlight.length >= concurrency) await emitOldest();
    }
    while (inFlight.length > 0) {
      signal?.throwIfAborted();
      await emitOldest();
    }
    await emit(compressor.tail(crc, raw.size));
  } finally {
    filler.close();
    // The pool still works on these buffers; its results have no one else to go to.
    await Promise.allSettled(inFlight.map(({ packed }) => packed));
  }

  const diffId = raw.digest();
  const seekable = compression !== 'none';
  return {
    diffId,
    blob: {
      mediaType: layerMediaType(compression),
      digest: seekable ? blob.digest() : diffId,
      size: seekable ? blob.size : raw.size,
    },
    index: { diffId, size: raw.size, entries: indexEntries, ...(seekable ? { segments } : {}) },
  };
}
