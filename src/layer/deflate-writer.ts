import type { DeflateBlock } from './deflate-block.js';
import {
  distanceBase,
  distanceExtraBits,
  distancePlace,
  distanceSymbol,
  distanceSymbols,
  endOfBlock,
  lengthExtra,
  lengthExtraBits,
  lengthSymbol,
  literalSymbols,
  longestMatch,
  shortestMatch,
} from './deflate-codes.js';
import { setCodeLengths, setCodes } from './huffman-code.js';

/**
 * Bits of the longest codes. Up to 15 would be allowed, and save next to nothing. With these, two literals go behind a
 * begun byte within 31 bits, and so does a distance with its extra bits: a number of 32 bits is all that is needed.
 */
const literalLimit = 12;
const distanceLimit = 11;
const metaLimit = 7;
/** In which order the lengths of the codes for code lengths are written. */
const metaOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const mostStored = 0xffff;

/** A symbol of the description of codes, and its extra bits. */
type Meta = readonly [symbol: number, extra: number, bits: number];

/** Writes blocks of deflate (RFC 1951). Its memory is used again for each stream. */
export class DeflateWriter {
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  /** Bits that are not a whole byte yet, and how many. */
  #bits = 0;
  #bitCount = 0;
  readonly #literalLengths = new Uint8Array(literalSymbols);
  readonly #literalCodes = new Uint16Array(literalSymbols);
  readonly #distanceLengths = new Uint8Array(distanceSymbols);
  readonly #distanceCodes = new Uint16Array(distanceSymbols);
  // What is written of a block is these: bits to write above, and how many below.
  readonly #literals = new Uint32Array(endOfBlock + 1);
  readonly #matches = new Uint32Array(longestMatch + 1);
  readonly #distances = new Uint32Array(distanceSymbols);

  /** Begins a stream for so many bytes. */
  begin(size: number): void {
    // A block is stored where that is shorter, with 5 bytes in front of each 64 KiB; the rest is room to write ahead.
    const most = size + (size >>> 10) + 1024;
    if (this.#bytes.length < most) {
      this.#bytes = new Uint8Array(most);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#at = 0;
    this.#bits = 0;
    this.#bitCount = 0;
  }

  /** Writes a block, which stands for the bytes from `start` to `end`. */
  write(block: DeflateBlock, bytes: Uint8Array, start: number, end: number): void {
    const { literals, lengths, distances } = block;
    for (let length = shortestMatch; length <= longestMatch; length++) {
      literals[lengthSymbol[length]!]! += lengths[length]!;
    }
    literals[endOfBlock]! += 1;
    setCodeLengths(literals, literalLimit, this.#literalLengths);
    setCodeLengths(distances, distanceLimit, this.#distanceLengths);
    const { size, write } = this.#description();
    if (size + this.#sizeOf(block) >= (end - start) * 8) {
      this.#store(bytes.subarray(start, end));
      return;
    }
    setCodes(this.#literalLengths, this.#literalCodes);
    setCodes(this.#distanceLengths, this.#distanceCodes);
    write();
    this.#prepare();
    this.#writeSequences(block, bytes, start);
  }

  /** Ends on the border of a byte, with an empty block, so that another stream can follow; the bytes are a copy. */
  flush(): Uint8Array<ArrayBuffer> {
    this.#store(new Uint8Array(0));
    return this.#bytes.slice(0, this.#at);
  }

  /** How the codes of a block are told: the bits that it takes, and what writes it. */
  #description(): { readonly size: number; readonly write: () => void } {
    const literals = usedLength(this.#literalLengths, endOfBlock + 1);
    const distances = usedLength(this.#distanceLengths, 1);
    const metas = runLengths([
      ...this.#literalLengths.subarray(0, literals),
      ...this.#distanceLengths.subarray(0, distances),
    ]);
    const frequencies = new Uint32Array(metaOrder.length);
    for (const [symbol] of metas) frequencies[symbol]! += 1;
    const lengths = new Uint8Array(metaOrder.length);
    setCodeLengths(frequencies, metaLimit, lengths);
    let told = metaOrder.length;
    while (told > 4 && lengths[metaOrder[told - 1]!] === 0) told--;
    const size = metas.reduce((sum, [symbol, , bits]) => sum + lengths[symbol]! + bits, 17 + told * 3);
    const write = (): void => {
      const codes = new Uint16Array(metaOrder.length);
      setCodes(lengths, codes);
      // Not the last block; codes of its own.
      this.#put(0b100, 3);
      this.#put(literals - endOfBlock - 1, 5);
      this.#put(distances - 1, 5);
      this.#put(told - 4, 4);
      for (let i = 0; i < told; i++) this.#put(lengths[metaOrder[i]!]!, 3);
      for (const [symbol, extra, bits] of metas) {
        this.#put(codes[symbol]!, lengths[symbol]!);
        this.#put(extra, bits);
      }
    };
    return { size, write };
  }

  /** Bits of what stands behind the description. */
  #sizeOf({ literals, lengths, distances }: DeflateBlock): number {
    let bits = 0;
    for (let symbol = 0; symbol < literalSymbols; symbol++) bits += literals[symbol]! * this.#literalLengths[symbol]!;
    for (let length = shortestMatch; length <= longestMatch; length++) {
      bits += lengths[length]! * lengthExtraBits[length]!;
    }
    for (let symbol = 0; symbol < distanceSymbols; symbol++) {
      bits += distances[symbol]! * (this.#distanceLengths[symbol]! + distanceExtraBits[symbol]!);
    }
    return bits;
  }

  #prepare(): void {
    const lengths = this.#literalLengths;
    const codes = this.#literalCodes;
    for (let symbol = 0; symbol <= endOfBlock; symbol++) {
      this.#literals[symbol] = (codes[symbol]! << 4) | lengths[symbol]!;
    }
    for (let length = shortestMatch; length <= longestMatch; length++) {
      const symbol = lengthSymbol[length]!;
      const bits = codes[symbol]! | (lengthExtra[length]! << lengths[symbol]!);
      this.#matches[length] = (bits << 5) | (lengths[symbol]! + lengthExtraBits[length]!);
    }
    for (let symbol = 0; symbol < distanceSymbols; symbol++) {
      this.#distances[symbol] = (this.#distanceCodes[symbol]! << 4) | this.#distanceLengths[symbol]!;
    }
  }

  /**
   * The loop that all is about. Four bytes are written each time, of which those that are whole stay: that costs less
   * than to ask how many are.
   */
  #writeSequences({ sequences, count }: DeflateBlock, bytes: Uint8Array, start: number): void {
    const view = this.#view;
    const literals = this.#literals;
    const matches = this.#matches;
    const distances = this.#distances;
    const symbols = distanceSymbol;
    const bases = distanceBase;
    const extraBits = distanceExtraBits;
    let at = this.#at;
    let bits = this.#bits;
    let used = this.#bitCount;
    let from = start;
    for (let i = 0; i < count; i++) {
      const sequence = sequences[i]!;
      let run = sequence >>> 24;
      for (; run > 1; run -= 2) {
        const first = literals[bytes[from]!]!;
        bits |= (first >>> 4) << used;
        used += first & 15;
        const second = literals[bytes[from + 1]!]!;
        bits |= (second >>> 4) << used;
        used += second & 15;
        from += 2;
        view.setUint32(at, bits, true);
        at += used >>> 3;
        bits >>>= used & 24;
        used &= 7;
      }
      if (run === 1) {
        const literal = literals[bytes[from++]!]!;
        bits |= (literal >>> 4) << used;
        used += literal & 15;
        view.setUint32(at, bits, true);
        at += used >>> 3;
        bits >>>= used & 24;
        used &= 7;
      }
      const length = (sequence >>> 15) & 0x1ff;
      if (length === 0) continue;
      from += length;
      const match = matches[length]!;
      bits |= (match >>> 5) << used;
      used += match & 31;
      view.setUint32(at, bits, true);
      at += used >>> 3;
      bits >>>= used & 24;
      used &= 7;
      const distance = sequence & 0x7fff;
      const symbol = symbols[distancePlace(distance)]!;
      const code = distances[symbol]!;
      bits |= (code >>> 4) << used;
      used += code & 15;
      bits |= (distance - bases[symbol]!) << used;
      used += extraBits[symbol]!;
      view.setUint32(at, bits, true);
      at += used >>> 3;
      bits >>>= used & 24;
      used &= 7;
    }
    this.#at = at;
    this.#bits = bits;
    this.#bitCount = used;
    this.#put(literals[endOfBlock]! >>> 4, literals[endOfBlock]! & 15);
  }

  /** Bytes as they are; nothing as well. */
  #store(bytes: Uint8Array): void {
    let at = 0;
    do {
      const piece = bytes.subarray(at, at + mostStored);
      this.#put(0b000, 3);
      if (this.#bitCount > 0) this.#put(0, 8 - this.#bitCount);
      this.#put(piece.length, 16);
      this.#put(~piece.length & 0xffff, 16);
      this.#bytes.set(piece, this.#at);
      this.#at += piece.length;
      at += piece.length;
    } while (at < bytes.length);
  }

  /** At most 16 bits. */
  #put(value: number, bits: number): void {
    this.#bits |= value << this.#bitCount;
    this.#bitCount += bits;
    for (; this.#bitCount >= 8; this.#bitCount -= 8) {
      this.#bytes[this.#at++] = this.#bits;
      this.#bits >>>= 8;
    }
  }
}

/** How many there are up to the last that is used, at least `least`. */
function usedLength(lengths: Uint8Array, least: number): number {
  let used = lengths.length;
  while (used > least && lengths[used - 1] === 0) used--;
  return used;
}

/** Lengths of codes, where equal ones follow each other said in few words (RFC 1951, 3.2.7). */
function runLengths(lengths: readonly number[]): Meta[] {
  const metas: Meta[] = [];
  for (let i = 0; i < lengths.length; ) {
    const length = lengths[i]!;
    let run = 1;
    while (lengths[i + run] === length) run++;
    i += run;
    if (length === 0) {
      for (; run >= 11; run -= Math.min(run, 138)) metas.push([18, Math.min(run, 138) - 11, 7]);
      if (run >= 3) {
        metas.push([17, run - 3, 3]);
        run = 0;
      }
    } else {
      metas.push([length, 0, 0]);
      for (run--; run >= 3; run -= Math.min(run, 6)) metas.push([16, Math.min(run, 6) - 3, 2]);
    }
    for (; run > 0; run--) metas.push([length, 0, 0]);
  }
  return metas;
}
