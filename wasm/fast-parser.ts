/** Level 1: the place where four bytes like the next were seen last, and no other. */
import { addMatch, chunkSize, countLiteral, endBlock, endChunk, startChunks } from './chunks';
import { matchLength } from './match';
import { longestMatch, windowSize } from './symbols';

const hashBits: u32 = 14;
/** u16 for each hash of four bytes: the low bits of the last place. Few, so that they stay in the nearest cache. */
const places: usize = memory.data(2 << 14, 2);

// @ts-ignore: decorator
@inline
function placeOf(four: u32): usize {
  return places + (((four * 0x9e3779b1) >> (32 - hashBits)) << 1);
}

// @ts-ignore: decorator
@inline
function rememberPlace(at: usize): void {
  store<u16>(placeOf(load<u32>(at)), <u16>at);
}

/** `from` is a multiple of 65536, so that a place that was never set is the first, and no match begins before it. */
export function parseFast(from: usize, to: usize): void {
  memory.fill(places, 0, 2 << hashBits);
  startChunks(from);
  // From there on not enough is left for a match.
  const lastStart = to - from < 4 ? from : to - 3;
  let at = from;
  while (at < to) {
    const chunkEnd = min(to, at + chunkSize);
    const stop = min(chunkEnd, lastStart);
    let literals = at;
    while (at < stop) {
      const four = load<u32>(at);
      const place = placeOf(four);
      const distance: u32 = (<u32>at - <u32>load<u16>(place)) & 0xffff;
      store<u16>(place, <u16>at);
      if (distance - 1 >= windowSize || load<u32>(at - distance) !== four) {
        countLiteral(four & 255);
        at++;
        // The longer nothing has come again, the fewer places are looked at.
        for (let skip = min((at - literals) >> 7, stop - at); skip > 0; skip--) countLiteral(load<u8>(at++));
        continue;
      }
      const length = matchLength(at, distance, min(longestMatch, <u32>(to - at)));
      addMatch(at - literals, length, distance - 1);
      // Of the places in a match the first and the last are enough.
      for (let i = 1; i < 4; i++) rememberPlace(at + i);
      rememberPlace(at + length - 1);
      at += length;
      literals = at;
    }
    for (; at < chunkEnd; at++) countLiteral(load<u8>(at));
    endChunk(at, at - literals);
  }
  endBlock();
}
