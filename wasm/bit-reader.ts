/** The input: bits in the order of deflate, from the low end of each byte on. */

/** Where the next byte comes from, and the bits that were read before it; what is above these may be set as well. */
let at: usize = 0;
let end: usize = 0;
let bits: u64 = 0;
let bitCount: u64 = 0;

export function startInput(from: usize, to: usize): void {
  end = to;
  goOn(from, 0, 0);
}

export function goOn(from: usize, held: u64, count: u64): void {
  at = from;
  bits = held;
  bitCount = count;
}

export function inputAt(): usize {
  return at;
}

export function inputEnd(): usize {
  return end;
}

export function heldBits(): u64 {
  return bits;
}

export function heldCount(): u64 {
  return bitCount;
}

/** At least 56 bits are there then. What is behind the end is taken for input: see `isOverrun`. */
export function refill(): void {
  bits |= load<u64>(at) << bitCount;
  at += <usize>((63 - bitCount) >> 3);
  bitCount |= 56;
}

/** The next bits, of those that are there. */
export function peek(count: u64): u32 {
  return <u32>(bits & ((1 << count) - 1));
}

export function drop(count: u64): void {
  bits >>= count;
  bitCount -= count;
}

export function take(count: u64): u32 {
  const value = peek(count);
  drop(count);
  return value;
}

/** Drops what is left of a byte that is begun; returns where the next is. */
export function nextByte(): usize {
  goOn(at - <usize>(bitCount >> 3), 0, 0);
  return at;
}

/** Whether more has been taken than there is. */
export function isOverrun(): bool {
  return at - <usize>(bitCount >> 3) > end;
}

/** Whether all has been taken, to the last bit. */
export function isUsedUp(): bool {
  return at - <usize>(bitCount >> 3) === end && (bitCount & 7) === 0;
}
