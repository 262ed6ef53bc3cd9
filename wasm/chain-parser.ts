/** Levels 5 and above: the best of many matches, and whether the next byte begins a better one. */
import { addMatch, countLiteral, endBlock, endChunk, startChunks } from './chunks';
import { findMatch, passOver, startChains } from './hash-chains';
import { isBetter } from './match';
import { longestMatch } from './symbols';

/** See `startChunks`. */
const chunkSize: usize = 12288;
const headerCost: u64 = 750;

/** `depth`, `nice`: see `findMatch`. For matches that are not nice, a better one is looked for at the next byte. */
export function parseChains(from: usize, to: usize, depth: u32, nice: u32): void {
  startChains();
  startChunks(from, headerCost);
  // From there on not enough is left for a match.
  const lastStart = to - from < 4 ? from : to - 3;
  let at = from;
  while (at < to) {
    const chunkEnd = min(to, at + chunkSize);
    const stop = min(chunkEnd, lastStart);
    let literals = at;
    while (at < stop) {
      let match = findMatch(at, 2, min(longestMatch, <u32>(to - at)), nice, depth);
      if (match === 0) {
        countLiteral(load<u8>(at++));
        continue;
      }
      while ((match & 0xffff) < nice && at + 1 < lastStart) {
        const known = (match & 0xffff) - 1;
        const better = findMatch(at + 1, known, min(longestMatch, <u32>(to - at - 1)), nice, depth >> 1);
        if (!isBetter(better, match)) break;
        countLiteral(load<u8>(at++));
        match = better;
      }
      const length = match & 0xffff;
      addMatch(at - literals, length, match >> 16);
      const seen = at + (length < nice ? 2 : 1);
      at += length;
      literals = at;
      passOver(seen, at);
    }
    for (; at < chunkEnd; at++) countLiteral(load<u8>(at));
    endChunk(at, at - literals);
  }
  endBlock();
}
