import type { LayerSegment } from '../tree/layer-index.js';

/** Where a segment is in a blob. */
export interface StoredSegment {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** CRC-32 of what it holds, uncompressed. */
  readonly crc: number;
  /** SHA-256, in hexadecimal, of its bytes in the blob. */
  readonly digest: string;
}

/** A layer packed before that may have some of the segments of one that is being packed. */
export interface SimilarLayer {
  find(key: string): StoredSegment | undefined;
}

/** The segments of a stored blob, by their keys; `end` is where the last one does. */
export function similarLayer(path: string, segments: readonly LayerSegment[], end: number): SimilarLayer {
  const byKey = new Map(
    segments.map(({ key, blobOffset, crc, digest }, i) => {
      return [key, { path, start: blobOffset, end: segments[i + 1]?.blobOffset ?? end, crc, digest }] as const;
    }),
  );
  return { find: key => byKey.get(key) };
}
