/** The output: bits in the order of deflate, from the low end of each byte on. */
import { distanceExtra, distanceSlot } from './symbols';

/** Where the next byte goes, and the bits that are no byte yet; fewer than 8 when nothing is being written. */
let out: usize = 0;
let bits: u64 = 0;
let bitCount: u64 = 0;

export function startOutput(at: usize): void {
  out = at;
  bits = 0;
  bitCount = 0;
}

export function outputEnd(): usize {
  return out;
}

/** 56 bits at most. */
export function put(value: u64, count: u64): void {
  bits |= value << bitCount;
  bitCount += count;
  store<u64>(out, bits);
  out += <usize>(bitCount >> 3);
  bits >>= bitCount & 0x38;
  bitCount &= 7;
}

/** A stored block of up to 65535 bytes: it ends on the border of a byte. */
export function putStored(from: usize, size: usize): void {
  put(0, 3);
  if (bitCount > 0) put(0, 8 - bitCount);
  store<u16>(out, <u16>size);
  store<u16>(out + 2, <u16>~size);
  memory.copy(out + 4, from, size);
  out += 4 + size;
}

/**
 * Sequences as in `chunks.ts`, of the bytes from `from` on. Words: u32 for literals and distances, as in
 * `huffman-code.ts`, with one of no bits for symbol 288; u64 for lengths, the word with the bits that follow it, and from
 * bit 32 how many that is.
 *
 * 64 bits hold the 7 that are left and four literals of 14, or a match: 14 and 5 for its length, 15 and 13 for its distance.
 */
export function putSequences(
  from: usize,
  sequences: usize,
  end: usize,
  literalWords: usize,
  lengthWords: usize,
  distanceWords: usize,
): void {
  let to = out;
  let held = bits;
  let count = bitCount;
  let at = from;
  for (let s = sequences; s < end; s += 8) {
    const sequence = load<u64>(s);
    let literals = <u32>sequence;
    for (; literals >= 4; literals -= 4, at += 4) {
      const four = load<u32>(at);
      let word: u64 = load<u32>(literalWords + ((four & 255) << 2));
      held |= (word & 0xffff) << count;
      count += word >> 16;
      word = load<u32>(literalWords + (((four >> 8) & 255) << 2));
      held |= (word & 0xffff) << count;
      count += word >> 16;
      word = load<u32>(literalWords + (((four >> 16) & 255) << 2));
      held |= (word & 0xffff) << count;
      count += word >> 16;
      word = load<u32>(literalWords + ((four >> 24) << 2));
      held |= (word & 0xffff) << count;
      count += word >> 16;
      store<u64>(to, held);
      to += <usize>(count >> 3);
      held >>= count & 0x38;
      count &= 7;
    }
    // Up to three more. How many cannot be foretold, so a branch for it would cost more than words of no bits. They are put
    // together first: what waits for the bits before them is one step then, as it is for a match.
    const three = load<u32>(at);
    const first: u64 = load<u32>(literalWords + (select<u32>(three & 255, 288, literals > 0) << 2));
    const second: u64 = load<u32>(literalWords + (select<u32>((three >> 8) & 255, 288, literals > 1) << 2));
    const third: u64 = load<u32>(literalWords + (select<u32>((three >> 16) & 255, 288, literals > 2) << 2));
    const two = (first >> 16) + (second >> 16);
    held |= ((first & 0xffff) | ((second & 0xffff) << (first >> 16)) | ((third & 0xffff) << two)) << count;
    count += two + (third >> 16);
    at += literals;
    store<u64>(to, held);
    to += <usize>(count >> 3);
    held >>= count & 0x38;
    count &= 7;

    const length = <u32>(sequence >> 32) & 0xffff;
    if (length === 0) continue;
    at += length;
    const lengthWord = load<u64>(lengthWords + (length << 3));
    const less = <u32>(sequence >> 48);
    const slot = distanceSlot(less);
    const distanceWord: u64 = load<u32>(distanceWords + (slot << 2));
    const extra = distanceExtra(slot);
    const follows: u64 = less & ((1 << extra) - 1);
    const size = (lengthWord >> 32) + (distanceWord >> 16);
    held |= ((lengthWord & 0xffffffff) | ((distanceWord & 0xffff) << (lengthWord >> 32)) | (follows << size)) << count;
    count += size + extra;
    store<u64>(to, held);
    to += <usize>(count >> 3);
    held >>= count & 0x38;
    count &= 7;
  }
  out = to;
  bits = held;
  bitCount = count;
}
