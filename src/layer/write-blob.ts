import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import { layerMediaType } from '../oci/media-types.js';
import type { LayerSegment } from '../tree/layer-index.js';
import { combineCrc32 } from './crc32.js';
import type { LayerHashing } from './layer-hashes.js';
import type { SegmentFormat } from './segment-format.js';
import { contentsOf } from './segment-key.js';

/** Where the blob goes, a chunk at a time. It belongs to the sink until `write` has returned or its promise is fulfilled, not longer. */
export interface LayerSink {
  write(chunk: Uint8Array): Promise<void> | void;
}

/** A part of a tar, made. */
export interface Segment {
  /** Its part of the tar. */
  readonly raw: Uint8Array;
  /** Its part of the blob. */
  readonly packed: Uint8Array;
  /** Of `raw`. */
  readonly crc: number;
  /** Of `packed`. */
  readonly packedCrc: number;
  /** See `segmentKey`; of a piece of a large file it is known behind the last piece. */
  readonly key: () => string;
  /** To be called when neither `raw` nor `packed` are needed any more. */
  readonly release: () => void;
}

/** A blob that is written whole, and what its tar hashes to. */
export interface WrittenBlob {
  readonly diffId: Digest;
  readonly blob: Descriptor;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** Absent where the blob is the tar itself, which needs no map. */
  readonly segments?: readonly LayerSegment[] | undefined;
  /** See `contentsOf`. */
  readonly contents: string;
}

export interface WriteBlobOptions {
  readonly format: SegmentFormat;
  readonly hashing: LayerHashing;
  /** Bytes of the tar so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** Segments that are hashed and written while more come in. */
const mostPending = 3;

/** Writes the segments of a tar, of which there is at least one, as one blob. Both digests are taken on the way. */
export async function writeBlob(
  segments: AsyncIterable<Segment>,
  sink: LayerSink,
  { format, hashing, onProgress }: WriteBlobOptions,
): Promise<WrittenBlob> {
  const plain = format.compression === 'none';
  const map: Array<Omit<LayerSegment, 'key'> & { readonly key: () => string }> = [];
  const pending: Promise<void>[] = [];
  let written = Promise.resolve();
  let crc = 0;
  let size = 0;
  let blobSize = 0;
  const emit = async (blob: Uint8Array, tar?: Uint8Array, done = (): void => {}): Promise<void> => {
    blobSize += blob.length;
    // What is written is hashed meanwhile. Without compression the blob is the tar.
    if (blob.length > 0) written = written.then(() => sink.write(blob));
    const all = Promise.all([written, hashing.update({ tar, blob: plain ? undefined : blob })])
      .then(() => {})
      .finally(done);
    pending.push(all);
    // It is awaited in its turn; until then a failure must not count as unhandled.
    all.catch(() => {});
    if (pending.length > mostPending) await pending.shift();
  };
  try {
    for await (const { raw, packed, crc: own, packedCrc, key, release } of segments) {
      if (size === 0) await emit(format.head);
      map.push({ offset: size, blobOffset: blobSize, crc: own, packedCrc, key });
      crc = combineCrc32(crc, own, raw.length);
      size += raw.length;
      await emit(packed, raw, release);
      onProgress?.(size);
    }
    await emit(format.tail(crc, size));
    // The digests first: they may be what the rest waits for.
    const digests = await hashing.digests();
    await Promise.all(pending);
    const diffId = `sha256:${digests.tar}` as Digest;
    const digest = plain ? diffId : (`sha256:${digests.blob}` as Digest);
    const keys = map.map(({ key }) => key());
    return {
      diffId,
      blob: { mediaType: layerMediaType(format.compression), digest, size: blobSize },
      size,
      ...(plain ? {} : { segments: map.map((place, i) => ({ ...place, key: keys[i]! })) }),
      contents: contentsOf(keys),
    };
  } finally {
    hashing.drop();
    // Nobody but we waits for what is being written.
    await Promise.allSettled([written, ...pending]);
  }
}
