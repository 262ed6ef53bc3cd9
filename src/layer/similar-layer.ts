import type { LayerSegment } from '../tree/layer-index.js';

/** What the index has of a segment. */
export interface SegmentRows {
  /** Bytes of the segment in the tar. */
  readonly size: number;
  /** As `IndexRows` writes them, in UTF-8; read anew each time. @throws UnusableSegment when they are not there any more */
  readonly rows: () => Uint8Array;
}

/** Where a segment is in a blob, and what is known of it. */
export interface StoredSegment extends SegmentRows {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** CRC-32 of what it holds, uncompressed. */
  readonly crc: number;
  /** CRC-32 of its bytes in the blob. */
  readonly packedCrc: number;
}

/** A layer packed before that may have some of the segments of one that is being packed. */
export interface SimilarLayer {
  find(key: string): StoredSegment | undefined;
}

/** What an index has of all segments of a tar. */
export interface TarRows {
  /** Bytes of the tar. */
  readonly size: number;
  /** By where a segment begins in the tar. */
  readonly segments: ReadonlyMap<number, SegmentRows>;
}

/** The segments of the blob at `path`, by their keys; `end` is where the last one does. */
export function similarLayer(
  path: string,
  end: number,
  segments: readonly LayerSegment[],
  rows: TarRows,
): SimilarLayer {
  const byKey = new Map<string, StoredSegment>();
  for (const [i, { key, offset, blobOffset, crc, packedCrc }] of segments.entries()) {
    const next = segments[i + 1];
    const known = rows.segments.get(offset);
    // The index may have been written for a blob that was cut in another way.
    if (known === undefined || offset + known.size !== (next?.offset ?? rows.size)) continue;
    byKey.set(key, { ...known, path, start: blobOffset, end: next?.blobOffset ?? end, crc, packedCrc });
  }
  return { find: key => byKey.get(key) };
}
