import {
  blockSequences,
  blockSpan,
  clearBlock,
  type DeflateBlock,
  deflateBlock,
  mostLiterals,
} from './deflate-block.js';
import { distancePlace, distanceSymbol, longestMatch, windowSize } from './deflate-codes.js';
import { DeflateWriter } from './deflate-writer.js';

/** Slots of the table that says where four bytes were last: shorter matches save next to nothing. */
const tableSize = 1 << 15;
const nowhere = -2 * windowSize;
/** The last bytes are literals, so that all that is read ahead is there. */
const tailBytes = 8;

/** The memory that it takes, once a thread. */
interface Workspace {
  readonly places: Int32Array;
  readonly block: DeflateBlock;
  readonly writer: DeflateWriter;
}

let workspace: Workspace | undefined;

/**
 * Raw deflate (RFC 1951) for speed: of the places that a match could be at only the last is looked at, and the first
 * match that is found is taken. It begins with an empty window and ends on the border of a byte with an empty block, as a
 * sync flush of zlib does. No version of zlib has a part in it: the result is the same with every Node.
 *
 * It makes about as much of text as zlib at level 1, in three quarters of the time, once V8 has compiled it: from some
 * 50 MB a thread on that counts for more than the compiling.
 */
export function fastDeflate(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  workspace ??= { places: new Int32Array(tableSize), block: deflateBlock(), writer: new DeflateWriter() };
  const { places, block, writer } = workspace;
  places.fill(nowhere);
  writer.begin(bytes.length);
  for (let start = 0; start < bytes.length; ) {
    clearBlock(block);
    const end = fill(block, bytes, start, places);
    writer.write(block, bytes, start, end);
    start = end;
  }
  return writer.flush();
}

/** Fills a block with what begins at `start`, and says where it ends. */
function fill(block: DeflateBlock, bytes: Uint8Array, start: number, places: Int32Array): number {
  // What is of the module is taken into variables here: bundled, it would be looked up each time.
  const { sequences, literals, lengths, distances } = block;
  const symbols = distanceSymbol;
  const mostSequences = blockSequences;
  const longestRun = mostLiterals;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const last = bytes.length - tailBytes;
  const limit = Math.min(last, start + blockSpan);
  let count = 0;
  let at = start;
  let literalsFrom = start;
  while (at < limit && count < mostSequences) {
    const word = view.getUint32(at, true);
    const slot = slotOf(word);
    const place = places[slot]!;
    places[slot] = at;
    if (at - place > windowSize || view.getUint32(place, true) !== word) {
      // Where nothing has matched for long some bytes are passed over, and the more the longer that lasts.
      at += Math.min(16, 1 + ((at - literalsFrom) >> 7));
      continue;
    }
    const length = matchLength(view, place, at, last + tailBytes);
    const distance = at - place - 1;
    let run = at - literalsFrom;
    for (let from = literalsFrom; from < at; from++) literals[bytes[from]!]! += 1;
    for (; run > longestRun; run -= longestRun) sequences[count++] = longestRun << 24;
    sequences[count++] = (run << 24) | (length << 15) | distance;
    lengths[length]! += 1;
    distances[symbols[distancePlace(distance)]!]! += 1;
    // Two places in a match are noted: near enough to all of them for what comes next.
    places[slotOf(view.getUint32(at + 1, true))] = at + 1;
    at += length;
    literalsFrom = at;
    if (at < limit) places[slotOf(view.getUint32(at - 2, true))] = at - 2;
  }
  const end = at >= last ? bytes.length : at;
  for (let from = literalsFrom; from < end; from++) literals[bytes[from]!]! += 1;
  for (let from = literalsFrom; from < end; from += mostLiterals) {
    sequences[count++] = Math.min(mostLiterals, end - from) << 24;
  }
  block.count = count;
  return end;
}

/** The slot of four bytes, by a hash. */
function slotOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 17;
}

/** How far the bytes at two places are equal, of which the first four are; `end` is where all bytes end. */
function matchLength(view: DataView, place: number, start: number, end: number): number {
  const stop = Math.min(start + longestMatch, end - 4);
  let at = start + 4;
  for (let other = place + 4; at < stop; at += 4, other += 4) {
    const difference = view.getUint32(at, true) ^ view.getUint32(other, true);
    if (difference === 0) continue;
    at += (31 - Math.clz32(difference & -difference)) >>> 3;
    break;
  }
  return Math.min(longestMatch, at - start);
}
