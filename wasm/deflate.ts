/** Raw deflate (RFC 1951) of bytes in one piece. The same bytes and level give the same result on every machine. */
import { outputEnd, putStored, startOutput } from './bit-writer';
import { writeStored } from './block';
import { parseChains } from './chain-parser';
import { parseFast } from './fast-parser';
import { parseRecent } from './recent-parser';
import { prepareSymbols } from './symbols';

/** What is read past the input, after it is made empty, and written past the output. */
const margin: usize = 64;

/** How large the output can be: a block is never larger than stored, and a chunk at least. */
export function outputBound(size: usize): usize {
  return size + (size >> 10) + margin;
}

/**
 * Compresses `size` bytes from `from` on, which is above 65535, as the parsers want it; returns the size of the output. It
 * ends with an empty stored block on the border of a byte, and without a last block, so that another output can follow.
 * Level 0 only stores.
 */
export function deflate(from: usize, size: usize, out: usize, level: u32): usize {
  const to = from + size;
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
