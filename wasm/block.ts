/** Blocks (RFC 1951, 3.2.3), each in the way that makes it smallest: stored, with the fixed codes, or with codes of its own. */
import { put, putSequences, putStored } from './bit-writer';
import { distanceWords, lengthWords, literalWords, makeWords } from './block-words';
import { codeLengths, codeWords } from './huffman-code';
import {
  distanceExtra,
  distanceSymbols,
  endOfBlock,
  firstLength,
  fixedLength,
  headerOrder,
  headerSymbols,
  lengthExtra,
  lengthSlots,
  literalSymbols,
} from './symbols';

/** The longest words. 15 are allowed for literals: with 14, four of them fit where the writer holds them. */
const literalLimit: u32 = 14;
const distanceLimit: u32 = 15;
const headerLimit: u32 = 7;
const storedLimit: usize = 65535;

/** u8 each; and those of literals and distances as they are written, one behind the other. */
const literalLengths: usize = memory.data(288);
const distanceLengths: usize = memory.data(32);
const together: usize = memory.data(288 + 32);

/** The code in which the lengths of the words of the others are written. */
const headerCounts: usize = memory.data(19 * 4, 4);
const headerLengths: usize = memory.data(19);
const headerWords: usize = memory.data(19 * 4, 4);
/** u16 each: a symbol of it, and from bit 5 on what follows. */
const headerItems: usize = memory.data((288 + 32) * 2, 2);

/** Writes the bytes from `from` to `to`. Counts: u32 for each of 288 symbols of literals and lengths, then for distances. */
export function writeBlock(from: usize, to: usize, sequences: usize, end: usize, counts: usize): void {
  const distanceCounts = counts + (literalSymbols << 2);
  codeLengths(counts, literalSymbols, literalLimit, literalLengths);
  codeLengths(distanceCounts, distanceSymbols, distanceLimit, distanceLengths);
  const literals = usedOf(literalLengths, literalSymbols, firstLength);
  const distances = usedOf(distanceLengths, distanceSymbols, 1);
  memory.copy(together, literalLengths, literals);
  memory.copy(together + literals, distanceLengths, distances);
  const items = makeHeader(literals + distances);
  let orders = headerSymbols;
  while (orders > 4 && load<u8>(headerLengths + load<u8>(headerOrder + orders - 1)) === 0) orders--;

  const extraBits = extraBitsOf(counts, distanceCounts);
  const ownBits: u32 =
    17 + orders * 3 + headerBits() + bitsOf(counts, literalLengths, literalSymbols) +
    bitsOf(distanceCounts, distanceLengths, distanceSymbols) + extraBits;
  const fixedBits: u32 = 3 + fixedBitsOf(counts, distanceCounts) + extraBits;
  const parts = <u32>((to - from + storedLimit - 1) / storedLimit);
  const storedBits = (<u32>(to - from) << 3) + 40 * parts;

  if (storedBits <= min<u32>(ownBits, fixedBits)) {
    writeStored(from, to);
    return;
  }
  if (fixedBits <= ownBits) {
    put(1 << 1, 3);
    for (let i: u32 = 0; i < literalSymbols; i++) store<u8>(literalLengths + i, <u8>fixedLength(i));
    memory.fill(distanceLengths, 5, distanceSymbols);
  } else {
    put(2 << 1, 3);
    putHeader(literals, distances, orders, items);
  }
  makeWords(literalLengths, distanceLengths);
  putSequences(from, sequences, end, literalWords, lengthWords, distanceWords);
  putWord(load<u32>(literalWords + (endOfBlock << 2)));
}

/** Stored blocks for the bytes from `from` to `to`. */
export function writeStored(from: usize, to: usize): void {
  for (let at = from; at < to; ) {
    const size = min(to - at, storedLimit);
    putStored(at, size);
    at += size;
  }
}

/** How many symbols there are up to the last that occurs; `least` at least. */
function usedOf(lengths: usize, symbols: u32, least: u32): u32 {
  while (symbols > least && load<u8>(lengths + symbols - 1) === 0) symbols--;
  return symbols;
}

/** Puts the lengths in `together` into runs, and makes a code for these; returns the number of items. */
function makeHeader(all: u32): u32 {
  memory.fill(headerCounts, 0, headerSymbols * 4);
  let items: u32 = 0;
  for (let i: u32 = 0; i < all; ) {
    const length: u32 = load<u8>(together + i);
    let end = i + 1;
    while (end < all && load<u8>(together + end) === length) end++;
    let run = end - i;
    i = end;
    if (length !== 0) {
      // What is repeated is the length before.
      items = addItem(items, length, 0);
      run--;
    }
    while (run >= 3) {
      const part = min<u32>(run, length !== 0 ? 6 : 138);
      if (length !== 0) items = addItem(items, 16, part - 3);
      else items = part <= 10 ? addItem(items, 17, part - 3) : addItem(items, 18, part - 11);
      run -= part;
    }
    for (; run > 0; run--) items = addItem(items, length, 0);
  }
  codeLengths(headerCounts, headerSymbols, headerLimit, headerLengths);
  return items;
}

function addItem(items: u32, symbol: u32, follows: u32): u32 {
  const count = headerCounts + (symbol << 2);
  store<u32>(count, load<u32>(count) + 1);
  store<u16>(headerItems + (items << 1), <u16>(symbol | (follows << 5)));
  return items + 1;
}

/** How many bits follow a symbol of the header. */
function headerExtra(symbol: u32): u32 {
  return symbol < 16 ? 0 : symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
}

function headerBits(): u32 {
  let sum = bitsOf(headerCounts, headerLengths, headerSymbols);
  for (let symbol: u32 = 16; symbol < 19; symbol++) {
    sum += load<u32>(headerCounts + (symbol << 2)) * headerExtra(symbol);
  }
  return sum;
}

function putHeader(literals: u32, distances: u32, orders: u32, items: u32): void {
  put(literals - firstLength, 5);
  put(distances - 1, 5);
  put(orders - 4, 4);
  for (let i: u32 = 0; i < orders; i++) put(load<u8>(headerLengths + load<u8>(headerOrder + i)), 3);
  codeWords(headerLengths, headerSymbols, headerWords);
  for (let i: u32 = 0; i < items; i++) {
    const item: u32 = load<u16>(headerItems + (i << 1));
    putWord(load<u32>(headerWords + ((item & 31) << 2)));
    put(item >> 5, headerExtra(item & 31));
  }
}

function bitsOf(counts: usize, lengths: usize, symbols: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < symbols; i++) sum += load<u32>(counts + (i << 2)) * <u32>load<u8>(lengths + i);
  return sum;
}

/** The bits that follow symbols of lengths and distances. */
function extraBitsOf(counts: usize, distanceCounts: usize): u32 {
  let sum: u32 = 0;
  for (let slot: u32 = 0; slot < lengthSlots; slot++) {
    sum += load<u32>(counts + ((firstLength + slot) << 2)) * lengthExtra(slot);
  }
  for (let slot: u32 = 0; slot < distanceSymbols; slot++) {
    sum += load<u32>(distanceCounts + (slot << 2)) * distanceExtra(slot);
  }
  return sum;
}

function fixedBitsOf(counts: usize, distanceCounts: usize): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < literalSymbols; i++) sum += load<u32>(counts + (i << 2)) * fixedLength(i);
  for (let i: u32 = 0; i < distanceSymbols; i++) sum += load<u32>(distanceCounts + (i << 2)) * 5;
  return sum;
}

/** As `codeWords` makes them. */
function putWord(word: u32): void {
  put(word >> 8, word & 255);
}
