import { decodeRows, IndexRows } from '../layer/index-rows.js';
import type { SegmentRows, TarRows } from '../layer/similar-layer.js';
import { UnusableSegment } from '../layer/unusable-segment.js';
import type { Digest } from '../oci/digest.js';
import { indexOfRows } from '../tree/entry-rows.js';
import type { LayerIndex } from '../tree/layer-index.js';

/** Names the shape of the file below, and of the rows in it: change it with them. */
export const layerIndexKind = 'layer-index 3';

/** Rows of a segment, or of no segment in particular; these count from the beginning of the tar. */
type Piece = readonly [offset: number | null, size: number, bytes: number];

interface Head {
  readonly diffId: Digest;
  readonly size: number;
  readonly pieces: readonly Piece[];
}

/** What an index is read from, wherever it is: `undefined` for bytes that are not there. */
export interface IndexBytes {
  readonly size: number;
  read(at: number, length: number): Buffer | undefined;
}

/** Room for how many bytes the head has. */
const lengthBytes = 16;

/** Rows that are read at a time, where there are no segments. */
const pieceRows = 1000;

/**
 * An index as it lies on the disk: the rows, segment by segment, then JSON that says where what is, and how long that is. So
 * rows can be written while the layer is, and the next layer that takes a segment over takes its rows as they stand.
 */
export class LayerIndexEncoder {
  readonly #pieces: Piece[] = [];
  readonly #write: (bytes: Uint8Array) => void;

  /** `write` is given what comes next; it stays as it is. */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** The rows of the segment that has `size` bytes at `offset` of the tar; in order, and for every segment. */
  add(offset: number | null, size: number, rows: string | Uint8Array): void {
    const bytes = typeof rows === 'string' ? Buffer.from(rows) : rows;
    this.#pieces.push([offset, size, bytes.length]);
    this.#write(bytes);
  }

  finish({ diffId, size }: Pick<LayerIndex, 'diffId' | 'size'>): void {
    const head: Head = { diffId, size, pieces: this.#pieces };
    const bytes = Buffer.from(JSON.stringify(head));
    this.#write(bytes);
    this.#write(Buffer.from(String(bytes.length).padStart(lengthBytes)));
  }
}

export function encodeLayerIndex(index: LayerIndex, write: (bytes: Uint8Array) => void): void {
  const encoder = new LayerIndexEncoder(write);
  for (let start = 0; start < index.entries.length; start += pieceRows) {
    const rows = new IndexRows();
    for (const entry of index.entries.slice(start, start + pieceRows)) rows.add(entry);
    encoder.add(null, 0, rows.text);
  }
  encoder.finish(index);
}

/** The inverse, for bytes whose checksum has been found right. Entries are made when they are asked for. */
export function decodeLayerIndex(payload: Buffer): LayerIndex {
  const bytes = { size: payload.length, read: (at: number, length: number) => payload.subarray(at, at + length) };
  const { diffId, size, pieces } = decodeHead(bytes);
  const found = pieces.map(({ offset, rows }) => ({ text: rows().toString('utf8'), base: offset ?? 0 }));
  return indexOfRows({ diffId, size }, decodeRows(found));
}

/** The rows of its segments, not decoded; `undefined` for the index of another tar. */
export function segmentRows(bytes: IndexBytes, wanted: Digest): TarRows | undefined {
  const { diffId, size, pieces } = decodeHead(bytes);
  if (diffId !== wanted) return undefined;
  const segments = new Map<number, SegmentRows>();
  for (const { offset, ...piece } of pieces) if (offset !== null) segments.set(offset, piece);
  return { size, segments };
}

function decodeHead(bytes: IndexBytes) {
  /** @throws UnusableSegment where they are not there any more */
  const read = (at: number, length: number): Buffer => {
    const found = bytes.read(at, length);
    if (found === undefined) throw new UnusableSegment();
    return found;
  };
  const end = bytes.size - lengthBytes;
  const length = Number(read(end, lengthBytes).toString('latin1'));
  const { diffId, size, pieces } = JSON.parse(read(end - length, length).toString('utf8')) as Head;
  let next = 0;
  const found = pieces.map(([offset, size, length]) => {
    const at = next;
    next += length;
    return { offset, size, rows: () => read(at, length) };
  });
  return { diffId, size, pieces: found };
}
