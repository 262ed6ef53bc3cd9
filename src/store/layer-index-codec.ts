import { decodeRows, IndexRows } from '../layer/index-rows.js';
import type { SegmentRows, TarRows } from '../layer/similar-layer.js';
import type { Digest } from '../oci/digest.js';
import { indexOfRows } from '../tree/entry-rows.js';
import type { LayerIndex } from '../tree/layer-index.js';

/** Names the shape of the file below, and of the rows in it: change it with them. */
export const layerIndexKind = 'layer-index 2';

/** Rows of a segment, or of no segment in particular; these count from the beginning of the tar. */
type Piece = readonly [offset: number | null, size: number, bytes: number];

interface Head {
  readonly diffId: Digest;
  readonly size: number;
  readonly pieces: readonly Piece[];
}

/** Rows that are read at a time, where there are no segments. */
const pieceRows = 1000;

/**
 * An index as it lies on the disk: a line of JSON that says where what is, then the rows, segment by segment. So the next
 * layer that takes a segment over takes its rows as they stand.
 */
export class LayerIndexEncoder {
  readonly #pieces: Piece[] = [];
  readonly #rows: Uint8Array[] = [];

  /** The rows of the segment that has `size` bytes at `offset` of the tar; in order, and for every segment. */
  add(offset: number | null, size: number, rows: string | Uint8Array): void {
    const bytes = typeof rows === 'string' ? Buffer.from(rows) : rows;
    this.#pieces.push([offset, size, bytes.length]);
    this.#rows.push(bytes);
  }

  finish({ diffId, size }: Pick<LayerIndex, 'diffId' | 'size'>): readonly Uint8Array[] {
    const head: Head = { diffId, size, pieces: this.#pieces };
    return [Buffer.from(`${JSON.stringify(head)}\n`), ...this.#rows];
  }
}

export function encodeLayerIndex(index: LayerIndex): readonly Uint8Array[] {
  const encoder = new LayerIndexEncoder();
  for (let start = 0; start < index.entries.length; start += pieceRows) {
    const rows = new IndexRows();
    for (const entry of index.entries.slice(start, start + pieceRows)) rows.add(entry);
    encoder.add(null, 0, rows.text);
  }
  return encoder.finish(index);
}

/** The inverse, for bytes whose checksum has been found right. Entries are made when they are asked for. */
export function decodeLayerIndex(payload: Buffer): LayerIndex {
  const { diffId, size, pieces } = decodeHead(payload);
  const found = pieces.map(({ offset, rows }) => ({ text: rows.toString('utf8'), base: offset ?? 0 }));
  return indexOfRows({ diffId, size }, decodeRows(found));
}

/** The rows of its segments, not decoded; `undefined` for the index of another tar. */
export function segmentRows(payload: Buffer, wanted: Digest): TarRows | undefined {
  const { diffId, size, pieces } = decodeHead(payload);
  if (diffId !== wanted) return undefined;
  const segments = new Map<number, SegmentRows>();
  for (const { offset, ...piece } of pieces) if (offset !== null) segments.set(offset, piece);
  return { size, segments };
}

function decodeHead(payload: Buffer) {
  const end = payload.indexOf(0x0a);
  const { diffId, size, pieces } = JSON.parse(payload.toString('utf8', 0, end)) as Head;
  let at = end + 1;
  const found = pieces.map(([offset, size, bytes]) => {
    const rows = payload.subarray(at, at + bytes);
    at += bytes;
    return { offset, size, rows };
  });
  return { diffId, size, pieces: found };
}
