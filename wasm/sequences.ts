/** What a block is made of: literals and matches (RFC 1951, 3.2.3). This is where the time goes. */
import { goOn, heldBits, heldCount, inputAt, inputEnd } from './bit-reader';
import { distanceBits, distanceTable, literalBits, literalTable } from './block-codes';
import { baseShift, countShift, literalShift, maskShift, notLiteral, notMatch, wordShift } from './decode-table';

const literalMask: u64 = (1 << literalBits) - 1;
const distanceMask: u64 = (1 << distanceBits) - 1;

/** For distances below 8, u64, u64 and u8: which bytes are repeated, what repeats them, and how many make whole turns. */
const turnMasks: usize = memory.data<u64>([
  0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff,
]);
const turnFactors: usize = memory.data<u64>([
  0, 0x0101010101010101, 0x0001000100010001, 0x0001000001000001, 0x0000000100000001, 0x0000010000000001,
  0x0001000000000001, 0x0100000000000001,
]);
const turnSteps: usize = memory.data<u8>([0, 8, 8, 6, 8, 5, 6, 7]);

/**
 * Reads up to the end of the block. The output began at `start`, and goes on from `out`; returns where it ends, or 0 when
 * the block is not valid, ends before it should or goes past `end`.
 *
 * Both ends are looked at once for each sequence: nothing is taken that was read past the end of the input by a few bytes, and
 * what is written past the end of the output, by 300 bytes at most, is seen at the latest when the block ends.
 */
export function readSequences(start: usize, out: usize, end: usize): usize {
  let at = inputAt();
  let held = heldBits();
  // Only its low six bits count. That they are more when entries are taken off saves taking them apart.
  let count = heldCount();
  let to = out;
  const lastInput = inputEnd() + 8;
  while (at <= lastInput && to <= end) {
    held |= load<u64>(at) << count;
    at += <usize>((~count >> 3) & 7);
    count |= 56;
    // Those 56 bits are enough for three entries of literals and for the bits of a fourth; or for a match: 15 and 5 for its
    // length, 15 and 13 for its distance.
    let entry = load<u64>(<usize>(held & literalMask) << 3, literalTable);
    to = putLiterals(to, entry);
    if ((entry & notLiteral) === 0) {
      held >>= entry;
      count -= entry;
      entry = load<u64>(<usize>(held & literalMask) << 3, literalTable);
      to = putLiterals(to, entry);
      if ((entry & notLiteral) === 0) {
        held >>= entry;
        count -= entry;
        entry = load<u64>(<usize>(held & literalMask) << 3, literalTable);
        to = putLiterals(to, entry);
        if ((entry & notLiteral) === 0) {
          held >>= entry;
          count -= entry;
          entry = load<u64>(<usize>(held & literalMask) << 3, literalTable);
          to = putLiterals(to, entry);
          if ((entry & notLiteral) === 0) {
            held >>= entry;
            count -= entry;
            continue;
          }
        }
      }
      held |= load<u64>(at) << count;
      at += <usize>((~count >> 3) & 7);
      count |= 56;
    }
    let before = held;
    held >>= entry;
    count -= entry;
    if ((entry & notMatch) !== 0) {
      const mask = entry >> maskShift;
      if (mask !== 0) {
        entry = load<u64>(<usize>(((entry >> baseShift) & 0xffff) + (held & mask)) << 3, literalTable);
        to = putLiterals(to, entry);
        before = held;
        held >>= entry;
        count -= entry;
        if ((entry & notLiteral) === 0) continue;
      }
      if ((entry & notMatch) !== 0) {
        if (entry >> baseShift !== 0) return 0;
        goOn(at, held, count & 63);
        return to;
      }
    }
    const length = valueOf(entry, before);
    entry = load<u64>(<usize>(held & distanceMask) << 3, distanceTable);
    before = held;
    held >>= entry;
    count -= entry;
    if ((entry & notMatch) !== 0) {
      const mask = entry >> maskShift;
      if (mask === 0) return 0;
      entry = load<u64>(<usize>(((entry >> baseShift) & 0xffff) + (held & mask)) << 3, distanceTable);
      if ((entry & notMatch) !== 0) return 0;
      before = held;
      held >>= entry;
      count -= entry;
    }
    const distance = valueOf(entry, before);
    if (distance > to - start) return 0;
    copyMatch(to, distance, length);
    to += length;
  }
  return 0;
}

/** Two bytes are written whether they are literals or not: what comes next is written over them. */
// @ts-ignore: decorator
@inline
function putLiterals(to: usize, entry: u64): usize {
  store<u16>(to, <u16>(entry >> literalShift));
  return to + <usize>((entry >> countShift) & 3);
}

/** A length or distance; `bits` begin with its word. */
// @ts-ignore: decorator
@inline
function valueOf(entry: u64, bits: u64): usize {
  return <usize>(((entry >> baseShift) & 0xffff) + ((bits >> (entry >> wordShift)) & (entry >> maskShift)));
}

/** Copies what is `distance` before, which may reach into the copy itself; and up to 15 bytes more. */
// @ts-ignore: decorator
@inline
function copyMatch(to: usize, distance: usize, length: usize): void {
  let from = to - distance;
  const end = to + length;
  if (distance >= 8) {
    // Most matches are no longer.
    store<u64>(to, load<u64>(from));
    store<u64>(to, load<u64>(from, 8), 8);
    for (let copy = to + 16; copy < end; copy += 16) {
      from += 16;
      store<u64>(copy, load<u64>(from));
      store<u64>(copy, load<u64>(from, 8), 8);
    }
  } else {
    const turns = (load<u64>(from) & load<u64>(distance << 3, turnMasks)) * load<u64>(distance << 3, turnFactors);
    const step = <usize>load<u8>(distance, turnSteps);
    for (let copy = to; copy < end; copy += step) store<u64>(copy, turns);
  }
}
