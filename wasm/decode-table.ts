/**
 * Tables that tell the next word of a code: one entry for whatever the next `tableBits` bits may be, and behind these
 * entries the subtables for words that are longer.
 *
 * An entry, u64, says all that there is to know of a word, so that nothing else has to be looked up:
 * - bits 0 to 5: how many bits to take, with those that follow the word
 * - bit 6: it is not only literals; bit 7: it is no length or distance either
 * - bits 8 to 13: how many bits the word alone has (nothing above them is in the way of a shift, which takes six bits)
 * - bits 14 and 15: how many literals there are, two at most, which may have a length behind them
 * - bits 16 to 31: the base of a length or distance, a symbol, or the place of a subtable
 * - bits 32 to 47: the literals
 * - bits 48 to 63: a mask for the bits that follow, which are added to the base, or are the index in a subtable
 */

export const notLiteral: u64 = 1 << 6;
export const notMatch: u64 = 1 << 7;
export const wordShift: u64 = 8;
export const countShift: u64 = 14;
export const baseShift: u64 = 16;
export const literalShift: u64 = 32;
export const maskShift: u64 = 48;

/** Of these two only a subtable has a mask, and only what is not valid has a base without. */
export const endEntry: u64 = notLiteral | notMatch;
export const invalidEntry: u64 = endEntry | (1 << baseShift);

const sixBits: u64 = 63;
/** A word that is one bit longer. */
const wordBit: u64 = 1 | (1 << wordShift);
const longestWord: u32 = 15;

/** u32 for each length of words: how many there are, and where in `sorted` the next of them goes. */
const lengthCounts: usize = memory.data(16 * 4, 4);
const places: usize = memory.data(16 * 4, 4);
/** u16: the symbols in the order of their words. */
const sorted: usize = memory.data(288 * 2, 2);

/**
 * `lengths`: u8 for each symbol. `entries`: u64 for each, as for a word of no bits. Returns whether that is a code: no word
 * begins another, and every sequence of bits begins with one. `sparse`: there may be one word of one bit, or none.
 */
export function makeTable(
  lengths: usize,
  symbols: u32,
  entries: usize,
  table: usize,
  tableBits: u32,
  sparse: bool,
): bool {
  memory.fill(lengthCounts, 0, 16 * 4);
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count = lengthCounts + (<u32>load<u8>(lengths + symbol) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
  let used: u32 = 0;
  let longest: u32 = 0;
  /** How many words of a length could still be added. */
  let room: i32 = 1;
  for (let length: u32 = 1; length <= longestWord; length++) {
    const count = countOf(length);
    room = (room << 1) - count;
    if (room < 0) return false;
    store<u32>(places + (length << 2), used);
    used += count;
    if (count > 0) longest = length;
  }
  if (room > 0 && !(sparse && longest <= 1)) return false;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const length: u32 = load<u8>(lengths + symbol);
    if (length === 0) continue;
    const place = places + (length << 2);
    const next = load<u32>(place);
    store<u16>(sorted + (next << 1), <u16>symbol);
    store<u32>(place, next + 1);
  }
  const word = fillTable(entries, table, tableBits);
  fillSubtables(entries, table, tableBits, word, longest);
  return true;
}

/** Returns the first word that is longer than the table has bits. */
function fillTable(entries: usize, table: usize, tableBits: u32): u32 {
  store<u64>(table, invalidEntry);
  let word: u32 = 0;
  let at = sorted;
  for (let length: u32 = 1; length <= tableBits; length++) {
    // All words so far are followed by a 0 or by a 1.
    const half: u32 = 8 << (length - 1);
    memory.copy(table + half, table, half);
    for (let n = countOf(length); n > 0; n--, at += 2) {
      store<u64>(table + (word << 3), entryOf(entries, at, length));
      word = nextWord(word, length);
    }
  }
  return word;
}

function fillSubtables(entries: usize, table: usize, tableBits: u32, first: u32, longest: u32): void {
  let word = first;
  let at = sorted + (usedUpTo(tableBits) << 1);
  let subtable: u32 = 0;
  let end: u32 = 1 << tableBits;
  let prefix: u32 = 0xffffffff;
  for (let length = tableBits + 1; length <= longest; length++) {
    const rest = length - tableBits;
    for (let n = countOf(length); n > 0; n--, at += 2) {
      const head = word & ((1 << tableBits) - 1);
      if (head !== prefix) {
        prefix = head;
        subtable = end;
        end += 1 << subtableBits(tableBits, rest, n);
        const mask: u64 = end - subtable - 1;
        const entry = endEntry | tableBits | ((<u64>subtable) << baseShift) | (mask << maskShift);
        store<u64>(table + (prefix << 3), entry);
      }
      const entry = entryOf(entries, at, rest);
      for (let i = subtable + (word >> tableBits); i < end; i += 1 << rest) store<u64>(table + (i << 3), entry);
      word = nextWord(word, length);
    }
  }
}

/** So many that the words with the same head are in it, and no others: `words` of them have `rest` bits, or begin the next. */
function subtableBits(tableBits: u32, rest: u32, words: u32): u32 {
  let bits = rest;
  let room: i32 = (1 << bits) - words;
  while (room > 0) room = (room << 1) - countOf(tableBits + ++bits);
  return bits;
}

// @ts-ignore: decorator
@inline
function countOf(length: u32): u32 {
  return load<u32>(lengthCounts + (length << 2));
}

function usedUpTo(length: u32): u32 {
  let used: u32 = 0;
  for (let i: u32 = 1; i <= length; i++) used += countOf(i);
  return used;
}

// @ts-ignore: decorator
@inline
function entryOf(entries: usize, at: usize, length: u32): u64 {
  return load<u64>(entries + (<u32>load<u16>(at) << 3)) + wordBit * length;
}

/** Words are counted up from their first bit, which is the lowest. Behind the last comes 0. */
// @ts-ignore: decorator
@inline
function nextWord(word: u32, length: u32): u32 {
  const zeros = ~word & ((1 << length) - 1);
  if (zeros === 0) return 0;
  const bit: u32 = 0x80000000 >> clz<u32>(zeros);
  return (word & (bit - 1)) | bit;
}

/** Puts into the entry of a literal the word behind it as well, where both fit. */
export function joinLiterals(table: usize, tableBits: u32): void {
  for (let i: i32 = (1 << tableBits) - 1; i >= 0; i--) {
    const entry = load<u64>(table + (i << 3));
    if ((entry & notLiteral) !== 0) continue;
    const bits = entry & sixBits;
    // It comes before this one, so nothing has been put into it.
    const next = load<u64>(table + ((<u32>i >> <u32>bits) << 3));
    if ((next & notMatch) !== 0 || bits + ((next >> wordShift) & sixBits) > tableBits) continue;
    const literals = ((entry >> literalShift) & 0xff) | (((next >> literalShift) & 0xff) << 8);
    const rest = next & ~((<u64>0xffff) << literalShift);
    store<u64>(table + (i << 3), (rest + bits * wordBit + (1 << countShift)) | (literals << literalShift));
  }
}
