import { invalidArchive } from './invalid-archive.js';
import type { PaxRecords } from './pax.js';
import { parsePaxNumber } from './pax.js';
import { parseNumber } from './tar-fields.js';

/** Where the stored bytes of a sparse file belong; in order, without overlap. */
export interface SparseRegion {
  readonly offset: number;
  readonly length: number;
}

/** A hostile map costs memory without costing the sender much: this many regions are enough for honest files. */
const maxRegions = 1_000_000;

/**
 * Adds the regions of an old GNU sparse header, or of one of its extension blocks, from `count` slots at `start`.
 * @returns whether another extension block follows
 */
export function readOldSparseSlots(
  block: Uint8Array,
  start: number,
  count: number,
  regions: SparseRegion[],
  entry: string,
): boolean {
  for (let slot = 0; slot < count; slot++) {
    const at = start + slot * 24;
    if (block[at] === 0 && block[at + 12] === 0) break;
    regions.push({ offset: parseNumber(block, at, 12), length: parseNumber(block, at + 12, 12) });
    if (regions.length > maxRegions) throw invalidArchive('a sparse map that is too long', entry);
  }
  return block[start + count * 24] !== 0;
}

/** The map of PAX sparse formats 0.0 and 0.1. */
export function parsePaxSparseMap(records: PaxRecords, entry: string): SparseRegion[] {
  const text = records.get('GNU.sparse.map') ?? '';
  const numbers = text === '' ? [] : text.split(',').map(number => parsePaxNumber(number, entry));
  const declared = parsePaxNumber(records.get('GNU.sparse.numblocks') ?? '', entry);
  if (numbers.length !== declared * 2 || declared > maxRegions) throw invalidArchive('a malformed sparse map', entry);
  return pairs(numbers);
}

/**
 * Reads the map of PAX sparse format 1.0, which stands before the data: decimal numbers, one a line, padded to a block.
 * Call `push` with each block until it returns the regions.
 */
export class SparseMapReader {
  readonly #entry: string;
  readonly #numbers: number[] = [];
  #digits = '';
  #expected: number | undefined;

  constructor(entry: string) {
    this.#entry = entry;
  }

  push(block: Uint8Array): SparseRegion[] | undefined {
    for (const byte of block) {
      if (byte !== 0x0a) {
        this.#digits += String.fromCharCode(byte);
        if (this.#digits.length > 20) throw invalidArchive('a malformed sparse map', this.#entry);
        continue;
      }
      const number = parsePaxNumber(this.#digits, this.#entry);
      this.#digits = '';
      if (this.#expected === undefined) {
        if (number > maxRegions) throw invalidArchive('a sparse map that is too long', this.#entry);
        this.#expected = number * 2;
      } else {
        this.#numbers.push(number);
      }
      if (this.#numbers.length === this.#expected) return pairs(this.#numbers);
    }
    return undefined;
  }
}

function pairs(numbers: readonly number[]): SparseRegion[] {
  const regions: SparseRegion[] = [];
  for (let at = 0; at < numbers.length; at += 2) regions.push({ offset: numbers[at]!, length: numbers[at + 1]! });
  return regions;
}

/**
 * Refuses maps whose regions overlap, run past the file or do not account for the stored bytes.
 * @throws LadingError INVALID_ARCHIVE
 */
export function checkSparseMap(
  regions: readonly SparseRegion[],
  size: number,
  storedSize: number,
  entry: string,
): void {
  let end = 0;
  let stored = 0;
  for (const { offset, length } of regions) {
    if (!(offset >= end) || !(length >= 0) || !(offset + length <= size)) {
      throw invalidArchive('a malformed sparse map', entry);
    }
    end = offset + length;
    stored += length;
  }
  if (stored !== storedSize) throw invalidArchive('a sparse map that does not match its data', entry);
}

/** Turns the stored bytes of a sparse file back into data and holes, in order. */
export class SparseExpander {
  readonly #regions: readonly SparseRegion[];
  readonly #size: number;
  readonly #data: (chunk: Uint8Array) => void;
  readonly #hole: (length: number) => void;
  #next = 0;
  #position = 0;

  constructor(
    regions: readonly SparseRegion[],
    size: number,
    data: (chunk: Uint8Array) => void,
    hole: (length: number) => void,
  ) {
    this.#regions = regions.filter(region => region.length > 0);
    this.#size = size;
    this.#data = data;
    this.#hole = hole;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const region = this.#regions[this.#next]!;
      this.#skipTo(region.offset);
      const end = region.offset + region.length;
      const take = Math.min(chunk.length - at, end - this.#position);
      this.#data(chunk.subarray(at, at + take));
      at += take;
      this.#position += take;
      if (this.#position === end) this.#next += 1;
    }
  }

  end(): void {
    this.#skipTo(this.#size);
  }

  #skipTo(offset: number): void {
    if (offset > this.#position) this.#hole(offset - this.#position);
    this.#position = Math.max(this.#position, offset);
  }
}
