/** The codes of a block (RFC 1951, 3.2.6 and 3.2.7), as tables. */
import { drop, peek, refill, take } from './bit-reader';
import {
  baseShift,
  countShift,
  endEntry,
  invalidEntry,
  joinLiterals,
  literalShift,
  makeTable,
  maskShift,
  notLiteral,
} from './decode-table';
import {
  distanceExtra,
  distanceSymbols,
  endOfBlock,
  firstLength,
  fixedLength,
  headerOrder,
  headerSymbols,
  lengthBase,
  lengthExtra,
  lengthSlots,
  literalSymbols,
  prepareSymbols,
} from './symbols';

/** The fastest of those tried: larger tables take longer to make, and more of the nearest cache. */
export const literalBits: u32 = 11;
export const distanceBits: u32 = 9;
/**
 * With room for subtables: one of 2^n entries is for n + 1 words at least, and n is at most what is missing to 15. So 288
 * words have at most 57 subtables of 16 entries, and 32 at most four of 64.
 */
export const literalTable: usize = memory.data((2048 + 1024) * 8, 8);
export const distanceTable: usize = memory.data((512 + 320) * 8, 8);

/** u64 for each symbol; two of lengths and two of distances are in the fixed codes, but not valid. */
const literalEntries: usize = memory.data(288 * 8, 8);
const distanceEntries: usize = memory.data(32 * 8, 8);
const allDistances: u32 = 32;
/** What headers may have: the fixed codes have more. */
const mostLiterals: u32 = 286;

/** The code in which the lengths of the words of the others are written: no word has more than 7 bits. */
const headerBits: u32 = 7;
const headerEntries: usize = memory.data(19 * 8, 8);
const headerLengths: usize = memory.data(19);
const headerTable: usize = memory.data(128 * 8, 8);
/** u8 each: of literals and lengths, and behind them of distances. */
const lengths: usize = memory.data(288 + 32);

let prepared: bool = false;
/** Whether the tables are those of the fixed codes. */
let areFixed: bool = false;

export function prepareCodes(): void {
  if (prepared) return;
  prepareSymbols();
  for (let byte: u64 = 0; byte < 256; byte++) {
    store<u64>(literalEntries + (<usize>byte << 3), (byte << literalShift) | (1 << countShift));
  }
  store<u64>(literalEntries + (endOfBlock << 3), endEntry);
  for (let slot: u32 = 0; slot < literalSymbols - firstLength; slot++) {
    const entry = slot < lengthSlots ? matchEntry(lengthBase(slot), lengthExtra(slot)) : invalidEntry;
    store<u64>(literalEntries + ((firstLength + slot) << 3), entry);
  }
  let base: u32 = 1;
  for (let slot: u32 = 0; slot < allDistances; slot++) {
    const extra = distanceExtra(slot);
    store<u64>(distanceEntries + (slot << 3), slot < distanceSymbols ? matchEntry(base, extra) : invalidEntry);
    base += 1 << extra;
  }
  for (let symbol: u64 = 0; symbol < headerSymbols; symbol++) {
    store<u64>(headerEntries + (<usize>symbol << 3), symbol << baseShift);
  }
  prepared = true;
}

function matchEntry(base: u64, extra: u64): u64 {
  return notLiteral | extra | (base << baseShift) | (((1 << extra) - 1) << maskShift);
}

export function useFixedCodes(): void {
  if (areFixed) return;
  for (let symbol: u32 = 0; symbol < literalSymbols; symbol++) store<u8>(lengths + symbol, <u8>fixedLength(symbol));
  memory.fill(lengths + literalSymbols, 5, allDistances);
  makeTables(literalSymbols, allDistances);
  areFixed = true;
}

/** Reads the codes that a block brings with it; returns whether it does. */
export function readCodes(): bool {
  const literals: u32 = firstLength + take(5);
  const distances: u32 = 1 + take(5);
  if (literals > mostLiterals || distances > distanceSymbols) return false;
  if (!readHeaderCode(4 + take(4)) || !readLengths(literals + distances)) return false;
  // A block that cannot end.
  if (load<u8>(lengths + endOfBlock) === 0) return false;
  areFixed = false;
  return makeTables(literals, distances);
}

function makeTables(literals: u32, distances: u32): bool {
  if (!makeTable(lengths, literals, literalEntries, literalTable, literalBits, true)) return false;
  joinLiterals(literalTable, literalBits);
  return makeTable(lengths + literals, distances, distanceEntries, distanceTable, distanceBits, true);
}

function readHeaderCode(orders: u32): bool {
  memory.fill(headerLengths, 0, headerSymbols);
  for (let i: u32 = 0; i < orders; i++) {
    refill();
    store<u8>(headerLengths + load<u8>(headerOrder + i), <u8>take(3));
  }
  return makeTable(headerLengths, headerSymbols, headerEntries, headerTable, headerBits, false);
}

function readLengths(all: u32): bool {
  for (let i: u32 = 0; i < all; ) {
    refill();
    const entry = load<u64>(headerTable + (peek(headerBits) << 3));
    drop(entry & 63);
    const symbol = <u32>(entry >> baseShift);
    let length = symbol;
    let run: u32 = 1;
    if (symbol > 15) {
      if (symbol === 16 && i === 0) return false;
      length = symbol === 16 ? load<u8>(lengths + i - 1) : 0;
      run = symbol === 16 ? 3 + take(2) : symbol === 17 ? 3 + take(3) : 11 + take(7);
    }
    if (i + run > all) return false;
    memory.fill(lengths + i, <u8>length, run);
    i += run;
  }
  return true;
}
