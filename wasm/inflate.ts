/** The bytes that were compressed to raw deflate (RFC 1951), in one piece. Any input does: what is not valid is found. */
import { goOn, inputEnd, isOverrun, isUsedUp, nextByte, refill, startInput, take } from './bit-reader';
import { prepareCodes, readCodes, useFixedCodes } from './block-codes';
import { readSequences } from './sequences';

/**
 * Decompresses `size` bytes from `from` on. They end with their last block, or, without one, with a block that ends with the
 * last byte. Returns the size of the output, or -1 when it is not valid or has more than `outputSize` bytes.
 *
 * Up to 600 bytes are read past the input, the codes of a block, and up to 300 are written past the room for the output, a
 * match, before that is noticed.
 */
export function inflate(from: usize, size: usize, start: usize, outputSize: usize): i32 {
  prepareCodes();
  startInput(from, from + size);
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
