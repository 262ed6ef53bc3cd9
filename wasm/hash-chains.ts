/** Where bytes like the next were seen within the window, latest first. */
import { matchLength } from './match';
import { windowSize } from './symbols';

const hashBits: u32 = 16;
const shortBits: u32 = 14;
/** u32: the last place with a hash of four bytes, and of three. */
const heads: usize = memory.data(4 << 16, 4);
const shortHeads: usize = memory.data(4 << 14, 4);
/** u16 for each place in the window: how far before it is the one with the same hash; 65535 for too far. */
const links: usize = memory.data(2 * 32768, 2);
/** Three bytes from further away cost more than three literals, mostly. */
const nearEnough: u32 = 4096;

/** Places are above 65535, so that those never set are too far away. */
export function startChains(): void {
  memory.fill(heads, 0, 4 << hashBits);
  memory.fill(shortHeads, 0, 4 << shortBits);
}

// @ts-ignore: decorator
@inline
function linkOf(at: usize): usize {
  return links + ((at & (windowSize - 1)) << 1);
}

// @ts-ignore: decorator
@inline
function headOf(four: u32): usize {
  return heads + (((four * 0x9e3779b1) >> (32 - hashBits)) << 2);
}

// @ts-ignore: decorator
@inline
function shortHeadOf(four: u32): usize {
  return shortHeads + ((((four << 8) * 0x9e3779b1) >> (32 - shortBits)) << 2);
}

/** Remembers a place; returns how far before it the last one like it is. */
// @ts-ignore: decorator
@inline
function remember(at: usize, four: u32): u32 {
  const head = headOf(four);
  const distance: u32 = <u32>at - load<u32>(head);
  store<u32>(head, <u32>at);
  store<u16>(linkOf(at), <u16>min<u32>(distance, 65535));
  return distance;
}

/** Remembers the places from `at` to before `end`. */
export function passOver(at: usize, end: usize): void {
  for (; at < end; at++) {
    const four = load<u32>(at);
    store<u32>(shortHeadOf(four), <u32>at);
    remember(at, four);
  }
}

/**
 * Remembers a place, and finds the longest match there that is longer than `known`: its length, and from bit 16 its
 * distance, less one; 0 if there is none. Looks at `depth` places, and no further when a match is `nice`.
 */
// @ts-ignore: decorator
@inline
export function findMatch(at: usize, known: u32, most: u32, nice: u32, depth: u32): u32 {
  const four = load<u32>(at);
  const shortHead = shortHeadOf(four);
  const short: u32 = <u32>at - load<u32>(shortHead);
  store<u32>(shortHead, <u32>at);
  let distance = remember(at, four);

  let found: u32 = 0;
  if (known < 3 && short <= nearEnough && ((load<u32>(at - short) ^ four) & 0xffffff) === 0) {
    found = 3 | ((short - 1) << 16);
  }
  let longest = max<u32>(known, 3);
  while (distance <= windowSize) {
    const before = at - distance;
    // The end first: it is what most of them lack.
    if (load<u32>(before + longest - 3) === load<u32>(at + longest - 3) && load<u32>(before) === four) {
      const length = matchLength(at, distance, 4, most);
      if (length > longest) {
        longest = length;
        found = length | ((distance - 1) << 16);
        if (length >= nice) break;
      }
    }
    if (--depth === 0) break;
    distance += load<u16>(linkOf(before));
  }
  return found;
}
