import type { Bytes } from './bytes.js';

/**
 * The bytes of a bzip2 stream, or of several one behind the other. Works a block at a time: at most 2.5 MB of input and
 * the 3.6 MB of one block are in memory. Checksums are verified.
 * @throws Error for data that is damaged or ends early; errors of `content` pass unchanged
 */
export async function* decodeBzip2(content: Bytes): AsyncGenerator<Uint8Array> {
  const input = new BitInput(content);
  try {
    do {
      yield* decodeStream(input);
      input.align();
      await input.fill();
    } while (!input.ended);
  } finally {
    await input.close();
  }
}

/** More than the longest block: 900 000 symbols of 20 bits, and its tables. */
const fillBytes = 2_500_000;
const outputBytes = 256 * 1024;
const groupSize = 50;
const blockMagic = [0x314159, 0x265359] as const;
const endMagic = [0x177245, 0x385090] as const;

async function* decodeStream(input: BitInput): AsyncGenerator<Uint8Array> {
  await input.fill();
  if (input.read(24) !== 0x425a68) throw new Error('not bzip2 data');
  const level = input.read(8) - 0x30;
  if (level < 1 || level > 9) throw new Error('an unknown block size');
  const symbols = new Uint32Array(level * 100_000);
  let combined = 0;
  for (;;) {
    await input.fill();
    const magic = [input.read(24), input.read(24)];
    const expected = readChecksum(input);
    if (magic[0] === endMagic[0] && magic[1] === endMagic[1]) {
      if (expected !== combined) throw new Error('a wrong checksum');
      return;
    }
    if (magic[0] !== blockMagic[0] || magic[1] !== blockMagic[1]) throw new Error('no block where one must be');
    const block = readBlock(input, symbols);
    const checksum = yield* unrolled(block, symbols);
    if (checksum !== expected) throw new Error('a wrong checksum in a block');
    combined = ((combined << 1) | (combined >>> 31)) ^ checksum;
  }
}

function readChecksum(input: BitInput): number {
  return (input.read(16) << 16) | input.read(16);
}

interface Block {
  readonly length: number;
  /** Where the original text begins in the sorted one. */
  readonly origin: number;
}

/** Reads a block and turns its sorting round: each element of `symbols` is then a byte and, above it, where to go on. */
function readBlock(input: BitInput, symbols: Uint32Array): Block {
  if (input.read(1) === 1) throw new Error('a block of a kind that no program has made since 1999');
  const origin = input.read(24);
  const alphabet = readAlphabet(input);
  const length = readSymbols(input, alphabet, symbols);
  if (origin >= length) throw new Error('a block that begins nowhere');
  const next = new Uint32Array(256);
  for (let i = 0; i < length; i++) next[symbols[i]!]! += 1;
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = next[byte]!;
    next[byte] = sum;
    sum += count;
  }
  for (let i = 0; i < length; i++) {
    const byte = symbols[i]! & 0xff;
    const place = next[byte]!;
    next[byte] = place + 1;
    symbols[place] = (symbols[place]! | (i << 8)) >>> 0;
  }
  return { length, origin };
}

/** The bytes that occur in a block, ascending. */
function readAlphabet(input: BitInput): Uint8Array {
  const rows = input.read(16);
  const bytes: number[] = [];
  for (let row = 0; row < 16; row++) {
    if ((rows & (0x8000 >> row)) === 0) continue;
    const columns = input.read(16);
    for (let column = 0; column < 16; column++) if (columns & (0x8000 >> column)) bytes.push(row * 16 + column);
  }
  if (bytes.length === 0) throw new Error('a block without bytes');
  return Uint8Array.from(bytes);
}

/** Decodes the symbols of a block: run lengths and places in the move-to-front list. Returns how many bytes they are. */
function readSymbols(input: BitInput, front: Uint8Array, symbols: Uint32Array): number {
  const endOfBlock = front.length + 1;
  const groups = input.read(3);
  if (groups < 2 || groups > 6) throw new Error('a wrong number of code tables');
  const selectors = readSelectors(input, groups);
  const tables = Array.from({ length: groups }, () => readTable(input, front.length + 2));
  let length = 0;
  let run = 0;
  let weight = 1;
  for (const selector of selectors) {
    const table = tables[selector]!;
    for (let i = 0; i < groupSize; i++) {
      const symbol = readSymbol(input, table);
      if (symbol <= 1) {
        run += weight << symbol;
        weight <<= 1;
        if (run > symbols.length) throw new Error('a block that is too long');
        continue;
      }
      if (length + run >= symbols.length + (symbol === endOfBlock ? 1 : 0)) throw new Error('a block that is too long');
      symbols.fill(front[0]!, length, length + run);
      length += run;
      run = 0;
      weight = 1;
      if (symbol === endOfBlock) return length;
      const byte = front[symbol - 1]!;
      front.copyWithin(1, 0, symbol - 1);
      front[0] = byte;
      symbols[length++] = byte;
    }
  }
  throw new Error('a block without an end');
}

/** Which table each group of symbols is coded with. */
function readSelectors(input: BitInput, groups: number): Uint8Array {
  const count = input.read(15);
  if (count === 0) throw new Error('a block without symbols');
  const front = [0, 1, 2, 3, 4, 5];
  const selectors = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let place = 0;
    while (input.read(1) === 1) if (++place >= groups) throw new Error('a code table that is not there');
    const [selector] = front.splice(place, 1);
    front.unshift(selector!);
    selectors[i] = selector!;
  }
  return selectors;
}

/** A canonical prefix code: symbols by code, and for each length the last code and the distance to its place. */
interface Table {
  readonly shortest: number;
  readonly last: Int32Array;
  readonly offset: Int32Array;
  readonly ordered: Uint16Array;
}

const longestCode = 20;

function readTable(input: BitInput, size: number): Table {
  const lengths = new Uint8Array(size);
  let length = input.read(5);
  for (let symbol = 0; symbol < size; symbol++) {
    for (;;) {
      if (length < 1 || length > longestCode) throw new Error('a code of an impossible length');
      if (input.read(1) === 0) break;
      length += input.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  const last = new Int32Array(longestCode + 1).fill(-1);
  const offset = new Int32Array(longestCode + 1);
  const ordered = new Uint16Array(size);
  let code = 0;
  let placed = 0;
  for (let bits = 1; bits <= longestCode; bits++) {
    offset[bits] = placed - code;
    for (let symbol = 0; symbol < size; symbol++) {
      if (lengths[symbol] !== bits) continue;
      ordered[placed++] = symbol;
      code += 1;
    }
    last[bits] = code - 1;
    code <<= 1;
  }
  return { shortest: Math.min(...lengths), last, offset, ordered };
}

function readSymbol(input: BitInput, { shortest, last, offset, ordered }: Table): number {
  let code = input.read(shortest);
  for (let bits = shortest; bits <= longestCode; bits++) {
    if (code <= last[bits]!) {
      const symbol = ordered[code + offset[bits]!];
      if (symbol === undefined) break;
      return symbol;
    }
    code = (code << 1) | input.read(1);
  }
  throw new Error('a code that means nothing');
}

/** Follows the sorting back and unrolls runs: four equal bytes are followed by how many more there are. */
function* unrolled({ length, origin }: Block, symbols: Uint32Array): Generator<Uint8Array, number> {
  let output = new Uint8Array(outputBytes);
  let size = 0;
  let checksum = -1;
  let at = symbols[origin]! >>> 8;
  let previous = -1;
  let run = 0;
  for (let i = 0; i < length; i++) {
    const element = symbols[at]!;
    const byte = element & 0xff;
    at = element >>> 8;
    let times = 1;
    let value = byte;
    if (run === 4) {
      times = byte;
      value = previous;
      run = 0;
      previous = -1;
    } else {
      run = byte === previous ? run + 1 : 1;
      previous = byte;
    }
    for (; times > 0; times--) {
      output[size++] = value;
      checksum = (checksum << 8) ^ checksums[(checksum >>> 24) ^ value]!;
      if (size < outputBytes) continue;
      yield output;
      output = new Uint8Array(outputBytes);
      size = 0;
    }
  }
  if (size > 0) yield output.subarray(0, size);
  return ~checksum;
}

/** CRC-32 with the highest bit first. */
const checksums = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value < 0 ? 0x04c11db7 : 0);
  return value;
});

/** Bits of a stream, highest first. Filled between blocks, so that reading inside one never waits. */
class BitInput {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #buffer: Uint8Array = new Uint8Array();
  #position = 0;
  #bits = 0;
  #count = 0;
  #exhausted = false;

  constructor(content: Bytes) {
    this.#iterator = content[Symbol.asyncIterator]();
  }

  /** Nothing is left; holds after `fill`. */
  get ended(): boolean {
    return this.#exhausted && this.#position >= this.#buffer.length;
  }

  /** Makes sure that a whole block is there, or all that is left. */
  async fill(): Promise<void> {
    let left = this.#buffer.length - this.#position;
    if (this.#exhausted || left >= fillBytes) return;
    const chunks = [this.#buffer.subarray(this.#position)];
    while (left < fillBytes) {
      const { done, value } = await this.#iterator.next();
      if (done === true) {
        this.#exhausted = true;
        break;
      }
      chunks.push(value);
      left += value.length;
    }
    this.#buffer = Buffer.concat(chunks, left);
    this.#position = 0;
  }

  /** At most 24 bits. */
  read(bits: number): number {
    while (this.#count < bits) {
      const byte = this.#buffer[this.#position];
      if (byte === undefined) throw new Error('unexpected end of data');
      this.#position += 1;
      this.#bits = (this.#bits << 8) | byte;
      this.#count += 8;
    }
    this.#count -= bits;
    return (this.#bits >>> this.#count) & ((1 << bits) - 1);
  }

  /** Passes over the rest of a byte that has been begun. */
  align(): void {
    this.#count -= this.#count % 8;
  }

  async close(): Promise<void> {
    if (!this.#exhausted) await this.#iterator.return?.();
  }
}
