/** Levels 2 to 4: the best match of a few recent ones, and whether the next byte begins a better one. */
import { addMatch, countLiteral, endBlock, endChunk, startChunks, uncountLiteral } from './chunks';
import { isBetter, patience } from './match';
import { findRecent, passOver, startPlaces } from './recent-places';
import { longestMatch } from './symbols';

/** See `startChunks`. */
const chunkSize: usize = 12288;
const headerCost: u64 = 1000;

/**
 * `lazy`: for matches that are shorter, a better one is looked for at the next byte. `remembered`: how many of the first
 * places in a match are, beside the last.
 */
export function parseRecent(from: usize, to: usize, lazy: u32, remembered: u32): void {
  startPlaces();
  startChunks(from, headerCost);
  // From there on not enough is left for eight bytes that are looked at, and one behind them.
  const lastStart = to - from < 9 ? from : to - 8;
  let at = from;
  while (at < to) {
    const chunkEnd = min(to, at + chunkSize);
    const stop = min(chunkEnd, lastStart);
    let literals = at;
    let patient = at + patience;
    while (at < stop) {
      let match = findRecent(at, to, true);
      if (match === 0) {
        countLiteral(load<u8>(at++));
        // The longer nothing has come again, the fewer places are looked at.
        if (at >= patient) {
          for (let skip = min((at - literals) / patience, stop - at); skip > 0; skip--) countLiteral(load<u8>(at++));
        }
        continue;
      }
      let seen = at + 1;
      if ((match & 0xffff) < lazy && seen < lastStart) {
        const better = findRecent(seen, to, false);
        seen++;
        if (isBetter(better, match)) {
          countLiteral(load<u8>(at++));
          match = better;
        }
      }
      let length = match & 0xffff;
      const distance = (match >> 16) + 1;
      // It may have begun before: not every place is remembered.
      while (at > literals && at - distance > from && length < longestMatch) {
        if (load<u8>(at - 1) !== load<u8>(at - 1 - distance)) break;
        uncountLiteral(load<u8>(--at));
        length++;
      }
      addMatch(at - literals, length, distance - 1);
      at += length;
      literals = at;
      patient = at + patience;
      const enough = min(at, seen + remembered);
      passOver(seen, enough);
      if (enough < at) passOver(at - 1, at);
    }
    for (; at < chunkEnd; at++) countLiteral(load<u8>(at));
    endChunk(at, at - literals);
  }
  endBlock();
}
