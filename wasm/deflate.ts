/** Raw deflate (RFC 1951) of bytes in one piece. The same bytes and level give the same result on every machine. */
import { outputEnd, putStored, startOutput } from './bit-writer';
import { writeStored } from './block';
import { parseChains } from './chain-parser';
import { parseFast } from './fast-parser';
import { parseRecent } from './recent-parser';
import { prepareSymbols } from './symbols';

const page: usize = 65536;
/** The end of all that has a place of its own: above 65535, as the parsers want it. */
const input: usize = (__heap_base + page - 1) & ~(page - 1);
/** What is read past the input, and written past the output. */
const margin: usize = 64;
/** Far more than a segment; sums of bits stay within 32 of them. */
const largest: usize = 64 * 1024 * 1024;

/** Where the output begins for so many bytes. */
export function outputOf(size: usize): usize {
  return (input + size + margin + 7) & ~7;
}

/** How large the output can be: a block is never larger than stored, and a chunk at least. */
export function outputBound(size: usize): usize {
  return size + (size >> 10) + margin;
}

/** Makes room for so many bytes; returns where they go, or 0 when there is none. */
export function reserve(size: usize): usize {
  if (size > largest) return 0;
  const pages = <i32>((outputOf(size) + outputBound(size) + margin + page - 1) / page);
  if (pages > memory.size() && memory.grow(pages - memory.size()) < 0) return 0;
  return input;
}

/**
 * Compresses the bytes that room was made for; returns the size of the output. It ends with an empty stored block on the
 * border of a byte, and without a last block, so that another output can follow. Level 0 only stores.
 */
export function deflate(size: usize, level: u32): usize {
  const from = input;
  const to = input + size;
  const out = outputOf(size);
  memory.fill(to, 0, margin);
  prepareSymbols();
  startOutput(out);
  switch (level) {
    case 0:
      writeStored(from, to);
      break;
    case 1:
      parseFast(from, to);
      break;
    case 2:
      parseRecent(from, to, 0, 4);
      break;
    case 3:
      parseRecent(from, to, 5, 4);
      break;
    case 4:
      parseRecent(from, to, 8, 16);
      break;
    case 5:
      parseChains(from, to, 20, 64);
      break;
    case 6:
      parseChains(from, to, 40, 128);
      break;
    case 7:
      parseChains(from, to, 64, 192);
      break;
    case 8:
      parseChains(from, to, 100, 258);
      break;
    default:
      parseChains(from, to, 200, 258);
  }
  putStored(to, 0);
  return outputEnd() - out;
}
