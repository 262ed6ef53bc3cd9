import { copyDigest, digestBytes } from '../oci/digest-bytes.js';
import {
  copyIdentity,
  type HostIdentity,
  identityWords,
  inodeHalfAt,
  sameIdentity,
  sameInode,
} from '../tree/host-identity.js';

/** A row: a {@link HostIdentity}, then the SHA-256. */
const rowWords = identityWords + digestBytes / 4;
export const digestRowBytes = rowWords * 4;
const digestAt = identityWords * 4;

/** Rows in a chunk of memory: a table grows by one at a time, and what it has stays where it is. */
const chunkBits = 12;
const chunkRows = 2 ** chunkBits;

interface Chunk {
  readonly words: Int32Array<ArrayBuffer>;
  /** The same memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const unmarked = 0;
const found = 1;
const replaced = 2;

/**
 * Digests of files by what `stat` says of them, found by open addressing. Rows are kept as they are written to the disk: no
 * object for each of a million files.
 */
export class DigestTable {
  readonly #chunks: Chunk[] = [];
  #count: number;
  /** Number of a row + 1, by the hash of its inode. */
  #slots: Int32Array;
  /** How many rows were there from the beginning, and what has become of each. */
  readonly #loaded: number;
  readonly #marks: Uint8Array;
  #foundCount = 0;

  /**
   * `rows`: as {@link DigestTable.rows} gave them, one behind another; what cannot be such is taken for nothing. It must stay as
   * it is.
   */
  constructor(rows: Uint8Array<ArrayBuffer> = new Uint8Array(0)) {
    const usable = rows.length % digestRowBytes === 0 ? rows : new Uint8Array(0);
    this.#count = usable.length / digestRowBytes;
    this.#loaded = this.#count;
    this.#marks = new Uint8Array(this.#count);
    const chunkBytes = chunkRows * digestRowBytes;
    for (let from = 0; from < usable.length; from += chunkBytes) {
      const bytes = usable.subarray(from, from + chunkBytes);
      const inPlace = bytes.length === chunkBytes && bytes.byteOffset % Int32Array.BYTES_PER_ELEMENT === 0;
      if (inPlace) {
        this.#chunks.push({ words: new Int32Array(bytes.buffer, bytes.byteOffset, chunkRows * rowWords), bytes });
      } else this.#chunks.push(newChunk(bytes));
    }
    this.#slots = this.#hashed();
  }

  /** Whether all that was there from the beginning has been found since. */
  get allFound(): boolean {
    return this.#foundCount === this.#loaded;
  }

  /** Puts the digest of a file into its place; returns whether it is known. */
  read({ words, at }: HostIdentity, digests: Uint8Array, to: number): boolean {
    const row = this.#find(words, at);
    if (row === undefined) return false;
    if (row < this.#loaded && this.#marks[row] !== found) {
      this.#marks[row] = found;
      this.#foundCount += 1;
    }
    copyDigest(this.#chunkOf(row).bytes, byteOf(row) + digestAt, digests, to);
    return true;
  }

  /** Adds what is not there yet. */
  add({ words, at }: HostIdentity, digests: Uint8Array, from: number): void {
    if (this.#find(words, at) !== undefined) return;
    const row = this.#count++;
    if (row >= this.#chunks.length * chunkRows) this.#chunks.push(newChunk());
    const chunk = this.#chunkOf(row);
    copyIdentity(words, at, chunk.words, wordOf(row));
    copyDigest(digests, from, chunk.bytes, byteOf(row) + digestAt);
    if (2 * this.#count > this.#slots.length) this.#slots = this.#hashed();
    else this.#enter(this.#slots, row);
    this.#replace(row);
  }

  identity(row: number): HostIdentity {
    return { words: this.#chunkOf(row).words, at: wordOf(row) };
  }

  /** All that is known: of which file, and where the digest begins in which bytes. */
  *all(): Generator<[identity: HostIdentity, digests: Uint8Array, at: number]> {
    for (let row = 0; row < this.#count; row++) {
      yield [this.identity(row), this.#chunkOf(row).bytes, byteOf(row) + digestAt];
    }
  }

  /** The rows that are wanted, in as few pieces as they stand in. */
  rows(wanted: (row: number) => boolean): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    for (const [place, { bytes }] of this.#chunks.entries()) {
      const first = place * chunkRows;
      const count = Math.min(chunkRows, this.#count - first);
      for (let row = 0, from = 0; row <= count; row++) {
        if (row < count && wanted(first + row)) continue;
        if (row > from) pieces.push(bytes.subarray(from * digestRowBytes, row * digestRowBytes));
        from = row + 1;
      }
    }
    return pieces;
  }

  /** Whether a row has been added. */
  isNew(row: number): boolean {
    return row >= this.#loaded;
  }

  /** Whether a row from the beginning has been found since. */
  wasFound(row: number): boolean {
    return this.#marks[row] === found;
  }

  /** Whether another state of the same file has been added since. */
  wasReplaced(row: number): boolean {
    return this.#marks[row] === replaced;
  }

  #find(words: Int32Array, at: number): number | undefined {
    const slots = this.#slots;
    for (let slot = slotOf(slots, inodeHalfAt(words, at)); slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
      const row = slots[slot]! - 1;
      if (sameIdentity(this.#chunkOf(row).words, wordOf(row), words, at)) return row;
    }
    return undefined;
  }

  /** Marks what is known of earlier states of the file. */
  #replace(row: number): void {
    const slots = this.#slots;
    const { words } = this.#chunkOf(row);
    const at = wordOf(row);
    for (let slot = slotOf(slots, inodeHalfAt(words, at)); slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
      const other = slots[slot]! - 1;
      if (other >= this.#loaded || this.#marks[other] !== unmarked) continue;
      if (sameInode(this.#chunkOf(other).words, wordOf(other), words, at)) this.#marks[other] = replaced;
    }
  }

  #chunkOf(row: number): Chunk {
    return this.#chunks[row >> chunkBits]!;
  }

  /** Slots for twice the rows and more. */
  #hashed(): Int32Array {
    const slots = new Int32Array(2 ** Math.ceil(Math.log2(this.#count * 4 + 1)));
    for (let row = 0; row < this.#count; row++) this.#enter(slots, row);
    return slots;
  }

  #enter(slots: Int32Array, row: number): void {
    let slot = slotOf(slots, inodeHalfAt(this.#chunkOf(row).words, wordOf(row)));
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = row + 1;
  }
}

function newChunk(begin: Uint8Array = new Uint8Array(0)): Chunk {
  const words = new Int32Array(chunkRows * rowWords);
  const bytes = new Uint8Array(words.buffer);
  bytes.set(begin);
  return { words, bytes };
}

/** Where a row begins in its chunk. */
function wordOf(row: number): number {
  return (row & (chunkRows - 1)) * rowWords;
}

function byteOf(row: number): number {
  return (row & (chunkRows - 1)) * digestRowBytes;
}

function slotOf(slots: Int32Array, inode: number): number {
  return (Math.imul(inode, 0x9e3779b1) >>> 7) & (slots.length - 1);
}
