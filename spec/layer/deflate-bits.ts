/** Streams of deflate (RFC 1951) as no compressor writes them: bit by bit, valid or not. */

/** Puts bits one behind the other, as deflate does: numbers from their low end on, words of codes from their first bit on. */
export class BitString {
  readonly #bytes: number[] = [];
  #held = 0;
  #count = 0;

  bits(value: number, count: number): this {
    for (let i = 0; i < count; i++) this.#bit((value >> i) & 1);
    return this;
  }

  word(word: string | undefined): this {
    if (word === undefined) throw new Error('no such word');
    for (const bit of word) this.#bit(Number(bit));
    return this;
  }

  /** With zeros up to the border of a byte. */
  bytes(): Uint8Array {
    const rest = this.#count === 0 ? [] : [this.#held];
    return Uint8Array.from([...this.#bytes, ...rest]);
  }

  #bit(bit: number): void {
    this.#held |= bit << this.#count++;
    if (this.#count < 8) return;
    this.#bytes.push(this.#held);
    this.#held = 0;
    this.#count = 0;
  }
}

/** The words of the code with these lengths, as texts of zeros and ones; those of a set that is no code overlap. */
export function wordsOf(lengths: readonly number[]): Array<string | undefined> {
  const words: Array<string | undefined> = lengths.map(() => undefined);
  let next = 0;
  for (let length = 1; length <= 15; length++) {
    next *= 2;
    for (const [symbol, own] of lengths.entries()) {
      if (own === length) words[symbol] = (next++ % 2 ** length).toString(2).padStart(length, '0');
    }
  }
  return words;
}

export const fixedLiterals = wordsOf(
  Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
);
export const fixedDistances = wordsOf(Array.from({ length: 32 }, () => 5));

const headerOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/** A code for all of them. */
const plainHeader = Array.from({ length: 19 }, (_, i) => (i < 13 ? 4 : 5));

export interface OwnCodes {
  readonly literals: readonly number[];
  readonly distances: readonly number[];
  readonly last?: boolean;
  /** Lengths of the words in which the other lengths are written. */
  readonly header?: readonly number[];
  /** Symbols of that code with the bits behind them, instead of one for each length. */
  readonly items?: ReadonlyArray<readonly [symbol: number, follows?: number]>;
}

/** Begins a block with codes of its own. */
export function putCodes(bits: BitString, { literals, distances, last, header = plainHeader, items }: OwnCodes): void {
  bits.bits(last ? 1 : 0, 1).bits(2, 2);
  bits.bits(literals.length - 257, 5).bits(distances.length - 1, 5);
  bits.bits(19 - 4, 4);
  for (const symbol of headerOrder) bits.bits(header[symbol]!, 3);
  const words = wordsOf(header);
  for (const [symbol, follows = 0] of items ?? [...literals, ...distances].map(length => [length] as const)) {
    bits.word(words[symbol]).bits(follows, { 16: 2, 17: 3, 18: 7 }[symbol] ?? 0);
  }
}

/** A whole code of so many symbols, as lengths: the tree grows where `choose` says, a number below its argument. */
export function codeOf(symbols: number, used: number, choose: (below: number) => number): number[] {
  const leaves = [1, 1];
  while (leaves.length < used) {
    const place = choose(leaves.length);
    if (leaves[place]! < 15) leaves.push(++leaves[place]!);
    else leaves.push(leaves.splice(leaves.indexOf(Math.min(...leaves)), 1, Math.min(...leaves) + 1)[0]! + 1);
  }
  const lengths = Array.from({ length: symbols }, () => 0);
  for (const length of leaves) {
    let symbol = choose(symbols);
    while (lengths[symbol] !== 0) symbol = (symbol + 1) % symbols;
    lengths[symbol] = length;
  }
  return lengths;
}
