/** The words of a block as `putSequences` takes them: what is written for a symbol, and how many bits that is, in one number. */
import { codeWords } from './huffman-code';
import {
  distanceExtra,
  distanceSymbols,
  firstLength,
  lengthBase,
  lengthExtra,
  lengthSlots,
  literalSymbols,
} from './symbols';

/** u32 for each symbol of literals and lengths, as `codeWords` makes them; and for `noLiteral`, of no bits. */
export const literalWords: usize = memory.data((288 + 1) * 4, 4);
/** u64 for each length of a match: how many bits, and from bit 8 the word with the bits that follow it. None for no match. */
export const lengthWords: usize = memory.data(259 * 8, 8);
/**
 * u64 for each symbol of distances: how many bits there are, with those that follow; from bit 8 how many the word has; from
 * bit 16 the word; and from bit 48 the least distance, less one. No bits for `noDistance`.
 */
export const distanceWords: usize = memory.data(32 * 8, 8);
const plainDistanceWords: usize = memory.data(32 * 4, 4);

/** Lengths of words: u8 for each symbol. */
export function makeWords(literalLengths: usize, distanceLengths: usize): void {
  codeWords(literalLengths, literalSymbols, literalWords);
  for (let slot: u32 = 0; slot < lengthSlots; slot++) {
    const word = load<u32>(literalWords + ((firstLength + slot) << 2));
    const size = word & 255;
    const extra = lengthExtra(slot);
    let at = lengthWords + (lengthBase(slot) << 3);
    let joined = word + extra;
    for (let follows: u32 = 0; follows < 1 << extra; follows++, at += 8) {
      store<u64>(at, joined);
      joined += 256 << size;
    }
  }
  codeWords(distanceLengths, distanceSymbols, plainDistanceWords);
  let base: u64 = 0;
  for (let slot: u32 = 0; slot < distanceSymbols; slot++) {
    const word = load<u32>(plainDistanceWords + (slot << 2));
    const size = word & 255;
    const extra = distanceExtra(slot);
    const sizes = (size + extra) | (size << 8);
    store<u64>(distanceWords + (slot << 3), sizes | ((<u64>word >> 8) << 16) | (base << 48));
    base += 1 << extra;
  }
}
