/**
 * Where bytes like the next were seen: the last two places with a hash of seven bytes, the last with one of four and the last
 * with one of three. The first know the long matches, the others those nearby.
 *
 * Unlike the places of a chain these are all known at once, and all are looked at, without a branch between them: which is
 * best cannot be foretold, and going the wrong way costs a processor more than looking.
 */
import { matchLength } from './match';
import { longestMatch, windowSize } from './symbols';

const sevenBits: u32 = 14;
const fourBits: u32 = 15;
const threeBits: u32 = 13;
/** u64 for each hash: two places, the later one in the low half; and u32, one place. */
const sevens: usize = memory.data(8 << 14, 8);
const fours: usize = memory.data(4 << 15, 4);
const threes: usize = memory.data(4 << 13, 4);
/** Three bytes from further away cost more than three literals, mostly. */
const nearEnough: u64 = 4096;
/** When a match is as long no other is tried. */
const nice: u32 = 32;

/** Places are above 65535, so that those never set are too far away. */
export function startPlaces(): void {
  memory.fill(sevens, 0, 8 << sevenBits);
  memory.fill(fours, 0, 4 << fourBits);
  memory.fill(threes, 0, 4 << threeBits);
}

// @ts-ignore: decorator
@inline
function sevenOf(eight: u64): usize {
  return sevens + (<usize>(((eight << 8) * 0x9e3779b185ebca87) >> (64 - sevenBits)) << 3);
}

// @ts-ignore: decorator
@inline
function fourOf(eight: u64): usize {
  return fours + (((<u32>eight * 0x9e3779b1) >> (32 - fourBits)) << 2);
}

// @ts-ignore: decorator
@inline
function threeOf(eight: u64): usize {
  return threes + ((((<u32>eight << 8) * 0x9e3779b1) >> (32 - threeBits)) << 2);
}

/** Sets a place; returns the one that was there. */
// @ts-ignore: decorator
@inline
function replace(place: usize, at: usize): u64 {
  const before = load<u32>(place);
  store<u32>(place, <u32>at);
  return before;
}

/** Adds a place to a pair; returns what the pair was. */
// @ts-ignore: decorator
@inline
function addToPair(pair: usize, at: usize): u64 {
  const before = load<u64>(pair);
  store<u64>(pair, (before << 32) | at);
  return before;
}

/** Remembers the places from `at` to before `end`. */
// @ts-ignore: decorator
@inline
export function passOver(at: usize, end: usize): void {
  for (; at < end; at++) {
    const eight = load<u64>(at);
    addToPair(sevenOf(eight), at);
    replace(fourOf(eight), at);
    replace(threeOf(eight), at);
  }
}

/**
 * How many bytes at a place are the next ones, eight at most, from bit 32; and the place. So the greatest score is that of the
 * longest match, and of the nearest of these. Places before `first` are too far away.
 */
// @ts-ignore: decorator
@inline
function score(place: u64, eight: u64, first: u64): u64 {
  const differ = load<u64>(<usize>place) ^ eight;
  const tooFar = <u64>(<i64>(place - first) >> 63);
  return ((ctz(differ | tooFar) & 0x78) << 29) | place;
}

const byteScore: u64 = 1 << 32;

/**
 * Remembers a place, and finds the longest match there: its length, and from bit 16 its distance, less one; 0 if there is
 * none. `threeToo`: matches of three bytes may do. Behind `at` there are more than eight bytes.
 */
// @ts-ignore: decorator
@inline
export function findRecent(at: usize, to: usize, threeToo: bool): u32 {
  const eight = load<u64>(at);
  const first = <u64>at - windowSize;
  const pair = addToPair(sevenOf(eight), at);
  const seven = score(pair & 0xffffffff, eight, first);
  const earlier = score(pair >> 32, eight, first);
  const four = score(replace(fourOf(eight), at), eight, first);
  const three = replace(threeOf(eight), at);
  let best = max(max(seven, earlier), four);
  if (threeToo) best = max(best, score(three, eight, <u64>at - nearEnough));

  if (best < 3 * byteScore) return 0;
  const less = <u32>at - <u32>best - 1;
  if (best < 8 * byteScore) return <u32>(best >> 32) | (less << 16);

  const most = min(longestMatch, <u32>(to - at));
  const length = matchLength(at, less + 1, 8, most);
  // Which of several goes on for longer is not known yet: the nearest of the others is tried, too.
  const next = max(max(seven === best ? 0 : seven, earlier === best ? 0 : earlier), four === best ? 0 : four);
  if (next >= 8 * byteScore && length < nice) {
    const nextLess = <u32>at - <u32>next - 1;
    const nextLength = matchLength(at, nextLess + 1, 8, most);
    if (nextLength > length) return nextLength | (nextLess << 16);
  }
  return length | (less << 16);
}
