/** Levels 2 and above: the best of several matches, and whether the next byte begins a better one. */
import { addMatch, chunkSize, countLiteral, endBlock, endChunk, startChunks } from './chunks';
import { findMatch, passOver, startChains } from './hash-chains';
import { longestMatch } from './symbols';

/**
 * `depth`, `nice`: see `findMatch`. `lazy`: better matches at the next byte are looked for. `remembered`: how many of the
 * first places in a match are, beside the last.
 */
export function parseChains(from: usize, to: usize, depth: u32, nice: u32, lazy: bool, remembered: u32): void {
  startChains();
  startChunks(from);
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
      while (lazy && (match & 0xffff) < nice && at + 1 < lastStart) {
        const known = (match & 0xffff) - 1;
        const better = findMatch(at + 1, known, min(longestMatch, <u32>(to - at - 1)), nice, max(depth >> 1, 1));
        if (!isBetter(better, match)) break;
        countLiteral(load<u8>(at++));
        match = better;
      }
      const length = match & 0xffff;
      addMatch(at - literals, length, match >> 16);
      const seen = at + (lazy && length < nice ? 2 : 1);
      at += length;
      literals = at;
      const enough = min(at, seen + remembered);
      passOver(seen, enough);
      if (enough < at) passOver(at - 1, at);
    }
    for (; at < chunkEnd; at++) countLiteral(load<u8>(at));
    endChunk(at, at - literals);
  }
  endBlock();
}

/** Whether a match one byte on is worth that byte: longer, or as long and much nearer. */
// @ts-ignore: decorator
@inline
function isBetter(better: u32, match: u32): bool {
  const longer = <i32>(better & 0xffff) - <i32>(match & 0xffff);
  const nearer = <i32>clz<u32>((better >> 16) + 1) - <i32>clz<u32>((match >> 16) + 1);
  return better !== 0 && 4 * longer + nearer > 2;
}
