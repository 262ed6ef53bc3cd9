/** The bytes that were compressed to raw deflate (RFC 1951), in one piece. Any input does: what is not valid is found. */
import { goOn, inputEnd, isOverrun, isUsedUp, nextByte, refill, startInput, take } from './bit-reader';
import { prepareCodes, readCodes, useFixedCodes } from './block-codes';
import { readSequences } from './sequences';

const page: usize = 65536;
const input: usize = (__heap_base + 7) & ~7;
/**
 * What may be read past the input and written past the output, before that is noticed: codes of a block, 600 bytes, and the
 * longest match.
 */
const margin: usize = 1024;
/** Far more than a segment. */
const largest: usize = 64 * 1024 * 1024;

/** Where the output begins for an input of so many bytes. */
export function outputOf(size: usize): usize {
  return (input + size + margin + 7) & ~7;
}

/** Makes room for so many bytes of input and output; returns where the input goes, or 0 when there is none. */
export function reserve(size: usize, outputSize: usize): usize {
  if (size > largest || outputSize > largest) return 0;
  const pages = <i32>((outputOf(size) + outputSize + margin + page - 1) / page);
  if (pages > memory.size() && memory.grow(pages - memory.size()) < 0) return 0;
  return input;
}

/**
 * Decompresses the input that room was made for. It ends with its last block, or, without one, with a block that ends with the
 * last byte. Returns the size of the output, or -1 when it is not valid or has more than `outputSize` bytes.
 */
export function inflate(size: usize, outputSize: usize): i32 {
  prepareCodes();
  startInput(input, input + size);
  const start = outputOf(size);
  const end = start + outputSize;
  let out = start;
  for (let isLast = false; !isLast && !isUsedUp(); ) {
    refill();
    isLast = take(1) === 1;
    out = readBlock(take(2), start, out, end);
    if (out === 0 || out > end || isOverrun()) return -1;
  }
  return <i32>(out - start);
}

/** Returns where the output ends behind it, 0 when it is not valid. */
function readBlock(type: u32, start: usize, out: usize, end: usize): usize {
  switch (type) {
    case 0:
      return readStored(out, end);
    case 1:
      useFixedCodes();
      return readSequences(start, out, end);
    case 2:
      return readCodes() ? readSequences(start, out, end) : 0;
    default:
      return 0;
  }
}

function readStored(out: usize, end: usize): usize {
  const at = nextByte() + 4;
  if (at > inputEnd()) return 0;
  const size = <usize>load<u16>(at - 4);
  if (load<u16>(at - 2) !== <u16>~size || size > inputEnd() - at || size > end - out) return 0;
  memory.copy(out, at, size);
  goOn(at + size, 0, 0);
  return out + size;
}
