import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import { layerMediaType } from '../oci/media-types.js';
import { Digester } from '../stream/verified.js';
import type { LayerSegment } from '../tree/layer-index.js';
import { combineCrc32 } from './crc32.js';
import type { SegmentFormat } from './segment-format.js';
import { contentsOf } from './segment-key.js';

/** Where the blob goes. A chunk belongs to the sink until `write` has returned or its promise is fulfilled, not longer. */
export interface LayerSink {
  write(chunk: Uint8Array): Promise<void> | void;
}

/** A part of a tar, made. */
export interface Segment {
  /** Its part of the tar; valid until the next segment is asked for, as `packed` is. */
  readonly raw: Uint8Array;
  /** Its part of the blob. */
  readonly packed: Uint8Array;
  /** Of `raw`. */
  readonly crc: number;
  /** SHA-256, in hexadecimal, of `packed`. */
  readonly digest: string;
  /** See `segmentKey`; of a piece of a large file it is known behind the last piece. */
  readonly key: () => string;
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

/** Writes the segments of a tar, of which there is at least one, as one blob. Both digests are taken on the way. */
export async function writeBlob(
  segments: AsyncIterable<Segment>,
  sink: LayerSink,
  format: SegmentFormat,
  onProgress?: (bytes: number) => void,
): Promise<WrittenBlob> {
  const plain = format.compression === 'none';
  const raw = new Digester();
  const blob = new Digester();
  const map: Array<Omit<LayerSegment, 'key'> & { readonly key: () => string }> = [];
  let crc = 0;
  const emit = async (bytes: Uint8Array, tar?: Uint8Array): Promise<void> => {
    // What is written is hashed meanwhile.
    const written = bytes.length === 0 ? undefined : sink.write(bytes);
    try {
      // Without compression the blob is the tar.
      if (!plain) blob.update(bytes);
      if (tar !== undefined) raw.update(tar);
    } finally {
      await written;
    }
  };
  for await (const segment of segments) {
    if (raw.size === 0) await emit(format.head);
    map.push({ offset: raw.size, blobOffset: blob.size, crc: segment.crc, digest: segment.digest, key: segment.key });
    crc = combineCrc32(crc, segment.crc, segment.raw.length);
    await emit(segment.packed, segment.raw);
    onProgress?.(raw.size);
  }
  await emit(format.tail(crc, raw.size));
  const diffId = raw.digest();
  const keys = map.map(({ key }) => key());
  return {
    diffId,
    blob: {
      mediaType: layerMediaType(format.compression),
      digest: plain ? diffId : blob.digest(),
      size: plain ? raw.size : blob.size,
    },
    size: raw.size,
    ...(plain ? {} : { segments: map.map((place, i) => ({ ...place, key: keys[i]! })) }),
    contents: contentsOf(keys),
  };
}
