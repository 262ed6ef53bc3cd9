/** The output: bits in the order of deflate, from the low end of each byte on. */
import { noLiteral } from './symbols';

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
 * Sequences as in `chunks.ts`, of the bytes from `from` on, in words as in `block-words.ts`.
 *
 * Of a number that something is shifted by only the low six bits count, and of `count`, until it is cut, the low eight: so
 * sizes need not be taken apart from the words that they come with. 63 bits hold the 7 that are left and four literals of 14,
 * or a match: 14 and 5 for its length, 15 and 13 for its distance.
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
    let literals = <u32>sequence & 0xffff;
    for (; literals >= 4; literals -= 4, at += 4) {
      const four = load<u32>(at);
      let word: u64 = load<u32>(literalWords + ((four & 255) << 2));
      held |= (word >> 8) << count;
      count += word;
      word = load<u32>(literalWords + (((four >> 8) & 255) << 2));
      held |= (word >> 8) << count;
      count += word;
      word = load<u32>(literalWords + (((four >> 16) & 255) << 2));
      held |= (word >> 8) << count;
      count += word;
      word = load<u32>(literalWords + ((four >> 24) << 2));
      held |= (word >> 8) << count;
      count += word;
      store<u64>(to, held);
      to += <usize>((count >> 3) & 7);
      held >>= count & 0x38;
      count &= 7;
    }
    // Up to three more. How many cannot be foretold, so a branch for it would cost more than words of no bits. They are put
    // together first, as a match is: what waits for the bits before them is one step then.
    const three = load<u32>(at);
    const first: u64 = load<u32>(literalWords + (select<u32>(three & 255, noLiteral, literals > 0) << 2));
    const second: u64 = load<u32>(literalWords + (select<u32>((three >> 8) & 255, noLiteral, literals > 1) << 2));
    const third: u64 = load<u32>(literalWords + (select<u32>((three >> 16) & 255, noLiteral, literals > 2) << 2));
    const two = first + second;
    const literalBits = (first >> 8) | ((second >> 8) << first) | ((third >> 8) << two);

    const length = <u32>(sequence >> 16) & 0xffff;
    const lengthWord = load<u64>(lengthWords + (length << 3));
    const distanceWord = load<u64>(distanceWords + (<usize>(sequence >> 48) << 3));
    const follows = ((sequence >> 32) & 0xffff) - (distanceWord >> 48);
    const distanceBits = ((distanceWord >> 16) & 0xffff) | (follows << (distanceWord >> 8));
    const matchBits = (lengthWord >> 8) | (distanceBits << lengthWord);
    const matchCount = lengthWord + distanceWord;

    at += literals + length;
    held |= literalBits << count;
    count += two + third;
    // Mostly there is room for both.
    if (((count + matchCount) & 255) > 63) {
      store<u64>(to, held);
      to += <usize>((count >> 3) & 7);
      held >>= count & 0x38;
      count &= 7;
    }
    held |= matchBits << count;
    count += matchCount;
    store<u64>(to, held);
    to += <usize>((count >> 3) & 7);
    held >>= count & 0x38;
    count &= 7;
  }
  out = to;
  bits = held;
  bitCount = count;
}

