/**
 * What a parser makes of the bytes: sequences of literals with a match behind them, and how often each symbol occurs in
 * them. They come in chunks; those that are alike enough become one block.
 */
import { writeBlock } from './block';
import { distanceSlot, endOfBlock, firstLength, lengthSlot, literalSymbols, noDistance } from './symbols';

/** Bytes after which a chunk ends at the latest, with the match that it is at; and of a block that nothing is added to any more. */
export const largestChunk: usize = 16384;
const blockSize: usize = 131072;

/**
 * u64 each: literals; from bit 16 the length of the match, 0 for none; from bit 32 its distance, less one; from bit 48 the
 * symbol of that.
 */
const sequences: usize = memory.data(((131072 + 16384 + 512) / 3 + 64) * 8, 8);
/** u32 for each symbol of literals and lengths, and then of distances. */
const symbols: u32 = literalSymbols + 32;
const chunkCounts: usize = memory.data((288 + 32) * 4, 4);
const blockCounts: usize = memory.data((288 + 32) * 4, 4);
const noCounts: usize = memory.data((288 + 32) * 4, 4);

/** Costs are in bits and 256 parts of one. What a block costs besides its symbols. */
let headerCost: u64 = 0;
/** u8 for each number up to 255: the 256 parts of the logarithm to base 2 of one and so many 256 parts. */
const logarithms: usize = memory.data(256);
/** u32 for each small number, as nearly all are: `timesLogarithm` of it. */
const products: usize = memory.data(1024 * 4, 4);
const largestProduct: u32 = 1023;

/** The block that is open, without the chunk that is; the latter ends with the sequences. */
let blockStart: usize = 0;
let blockEnd: usize = 0;
let blockCost: u64 = 0;
let chunkSequences: usize = 0;
let sequencesEnd: usize = 0;

/** `header`: what a block costs besides its symbols, in bits: mostly its codes, and as much as the time to make them is worth. */
export function startChunks(at: usize, header: u64): void {
  headerCost = header << 8;
  if (load<u8>(logarithms + 255) === 0) prepareLogarithms();
  blockStart = at;
  blockEnd = at;
  blockCost = 0;
  chunkSequences = sequences;
  sequencesEnd = sequences;
  memory.fill(chunkCounts, 0, symbols << 2);
  memory.fill(blockCounts, 0, symbols << 2);
}

/** A byte that no match covers. */
// @ts-ignore: decorator
@inline
export function countLiteral(literal: u32): void {
  count(literal);
}

/** A byte that was one, and that a match covers now. */
// @ts-ignore: decorator
@inline
export function uncountLiteral(literal: u32): void {
  const place = chunkCounts + (literal << 2);
  store<u32>(place, load<u32>(place) - 1);
}

// @ts-ignore: decorator
@inline
function count(symbol: u32): void {
  const place = chunkCounts + (symbol << 2);
  store<u32>(place, load<u32>(place) + 1);
}

/** A match behind so many literals, which have been counted. */
// @ts-ignore: decorator
@inline
export function addMatch(literals: usize, length: u32, less: u32): void {
  const slot = distanceSlot(less);
  store<u64>(sequencesEnd, literals | (length << 16) | (<u64>less << 32) | (<u64>slot << 48));
  sequencesEnd += 8;
  count(firstLength + lengthSlot(length));
  count(literalSymbols + slot);
}

/** The chunk ends before `at`, with so many literals behind its last match. */
export function endChunk(at: usize, literals: usize): void {
  if (literals > 0) {
    store<u64>(sequencesEnd, literals | (<u64>noDistance << 48));
    sequencesEnd += 8;
  }
  const alone = costOf(chunkCounts, noCounts);
  let joined = costOf(chunkCounts, blockCounts);
  if (at - blockStart > blockSize || joined > blockCost + alone + headerCost) {
    endBlock();
    joined = alone;
  }
  blockEnd = at;
  blockCost = joined;
  for (let place: usize = 0; place < symbols << 2; place += 4) {
    store<u32>(blockCounts + place, load<u32>(blockCounts + place) + load<u32>(chunkCounts + place));
  }
  memory.fill(chunkCounts, 0, symbols << 2);
  chunkSequences = sequencesEnd;
}

/** Writes the block, all but the chunk that is open. */
export function endBlock(): void {
  if (blockEnd > blockStart) {
    store<u32>(blockCounts + (endOfBlock << 2), 1);
    writeBlock(blockStart, blockEnd, sequences, chunkSequences, blockCounts);
  }
  blockStart = blockEnd;
  const size = sequencesEnd - chunkSequences;
  memory.copy(sequences, chunkSequences, size);
  sequencesEnd = sequences + size;
  memory.fill(blockCounts, 0, symbols << 2);
}

/** The entropy of the symbols of both together. */
function costOf(some: usize, others: usize): u64 {
  return entropy(some, others, 0, literalSymbols) + entropy(some, others, literalSymbols, symbols);
}

function entropy(some: usize, others: usize, from: u32, to: u32): u64 {
  let total: u32 = 0;
  let known: u64 = 0;
  for (let place = from << 2; place < to << 2; place += 4) {
    const count = load<u32>(some + place) + load<u32>(others + place);
    total += count;
    known += timesLogarithm(count);
  }
  const all = timesLogarithm(total);
  // Logarithms are cut off: the sum can be the greater by a little.
  return all > known ? all - known : 0;
}

// @ts-ignore: decorator
@inline
function timesLogarithm(number: u32): u64 {
  return number > largestProduct ? productOf(number) : load<u32>(products + (number << 2));
}

function productOf(number: u32): u64 {
  if (number < 2) return 0;
  const whole = 31 - clz(number);
  const part = ((number << 8) >> whole) & 255;
  return <u64>number * ((whole << 8) + <u32>load<u8>(logarithms + part));
}

/** Bit by bit: a square has twice the logarithm. In integers, which are the same everywhere. */
function prepareLogarithms(): void {
  for (let part: u32 = 0; part < 256; part++) {
    let value: u64 = (256 + part) << 16;
    let bits: u32 = 0;
    for (let i = 0; i < 8; i++) {
      value = (value * value) >> 24;
      const twice: u32 = value >= 1 << 25 ? 1 : 0;
      value >>= twice;
      bits = (bits << 1) | twice;
    }
    store<u8>(logarithms + part, <u8>bits);
  }  for (let number: u32 = 0; number <= largestProduct; number++) {
    store<u32>(products + (number << 2), <u32>productOf(number));
  }
}
