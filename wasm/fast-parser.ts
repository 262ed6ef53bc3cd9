/** Level 1: the place where five bytes like the next were seen last, and no other. */
import { addMatch, countLiteral, endBlock, endChunk, largestChunk, startChunks } from './chunks';
import { matchLength, patience } from './match';
import { longestMatch, windowSize } from './symbols';

/** Of four bytes many more come again, but saying where costs as much as four literals do, and as much time as a long match. */
const shortest: u32 = 5;
const hashBits: u32 = 15;
/** u32 for each hash of five bytes: the last place. */
const places: usize = memory.data(4 << 15, 4);
/** See `startChunks`. */
const headerCost: u64 = 1500;

/** Of the low five bytes. */
// @ts-ignore: decorator
@inline
function placeOf(eight: u64): usize {
  return places + (<usize>(((eight << 24) * 0x9e3779b185ebca87) >> (64 - hashBits)) << 2);
}

// @ts-ignore: decorator
@inline
function rememberPlace(at: usize, eight: u64): void {
  store<u32>(placeOf(eight), <u32>at);
}

/** `from` is above 65535, so that a place that was never set is too far away. */
export function parseFast(from: usize, to: usize): void {
  memory.fill(places, 0, 4 << hashBits);
  startChunks(from, headerCost);
  // From there on not enough is left for a match of which nobody asks where it ends.
  const lastStart = to - from < shortest + 8 ? from : to - shortest - 7;
  let at = from;
  while (at < to) {
    const chunkEnd = min(to, at + largestChunk);
    const stop = min(chunkEnd, lastStart);
    let literals = at;
    let patient = at + patience;
    while (at < stop) {
      const eight = load<u64>(at);
      const place = placeOf(eight);
      const before = <usize>load<u32>(place);
      store<u32>(place, <u32>at);
      const distance = <u32>(at - before);
      // Loaded even where it is too far away: one branch costs less than two.
      const differ = load<u64>(before) ^ eight;
      if (((differ << 24) | ((windowSize - distance) >> 31)) !== 0) {
        countLiteral(<u32>eight & 255);
        at++;
        // The longer nothing has come again, the fewer places are looked at.
        if (at >= patient) {
          for (let skip = min((at - literals) / patience, stop - at); skip > 0; skip--) countLiteral(load<u8>(at++));
        }
        continue;
      }
      // What is looked up next waits for the length, and most are short: that they end in time needs no check.
      const more = load<u64>(before + shortest) ^ load<u64>(at + shortest);
      let length = shortest + <u32>(ctz(more) >> 3);
      if (more === 0) length = matchLength(at, distance, shortest + 8, min(longestMatch, <u32>(to - at)));
      addMatch(at - literals, length, distance - 1);
      // Of the places in a match the first and the last are enough.
      rememberPlace(at + 1, eight >> 8);
      rememberPlace(at + 2, eight >> 16);
      rememberPlace(at + 3, eight >> 24);
      at += length;
      rememberPlace(at - 1, load<u64>(at - 1));
      literals = at;
      patient = at + patience;
    }
    for (; at < chunkEnd; at++) countLiteral(load<u8>(at));
    endChunk(at, at - literals);
  }
  endBlock();
}
