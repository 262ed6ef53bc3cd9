/** The symbols of deflate for lengths and distances (RFC 1951, 3.2.5). */

export const endOfBlock: u32 = 256;
export const firstLength: u32 = 257;
/** Literals, the end and lengths; the last two never occur. */
export const literalSymbols: u32 = 288;
export const distanceSymbols: u32 = 30;
/** What stands for no literal and no distance; neither ever occurs in a stream. */
export const noLiteral: u32 = 288;
export const noDistance: u32 = 31;
export const lengthSlots: u32 = 29;
export const longestMatch: u32 = 258;
export const windowSize: u32 = 32768;

/** Of the code in which the lengths of words are written; and u8 each, in which order that code itself is (3.2.7). */
export const headerSymbols: u32 = 19;
export const headerOrder: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/** u8 for each length up to the longest: its symbol, less the first. */
const slots: usize = memory.data(260);
/** u16 and u8 for each of these: the least length it stands for, and how many bits follow it. */
const bases: usize = memory.data(29 * 2, 2);
const extras: usize = memory.data(29);

export function prepareSymbols(): void {
  if (load<u8>(slots + longestMatch) !== 0) return;
  let length: u32 = 3;
  for (let slot: u32 = 0; slot < lengthSlots; slot++) {
    const last = slot === lengthSlots - 1;
    // The longest has a symbol of its own, though the one before could say it.
    const extra: u32 = slot < 8 || last ? 0 : (slot >> 2) - 1;
    if (last) length = longestMatch;
    store<u16>(bases + (slot << 1), <u16>length);
    store<u8>(extras + slot, <u8>extra);
    for (let i: u32 = 0; i < 1 << extra; i++) store<u8>(slots + length++, <u8>slot);
  }
}

// @ts-ignore: decorator
@inline
export function lengthSlot(length: u32): u32 {
  return load<u8>(slots + length);
}

export function lengthBase(slot: u32): u32 {
  return load<u16>(bases + (slot << 1));
}

export function lengthExtra(slot: u32): u32 {
  return load<u8>(extras + slot);
}

/** The symbol of a distance, which is given less one: so its low bits are those that follow. */
// @ts-ignore: decorator
@inline
export function distanceSlot(less: u32): u32 {
  const high = 31 - clz<u32>(less | 1);
  // Told to choose, and not to branch.
  return select<u32>(less, (high << 1) + ((less >> (high - 1)) & 1), less < 2);
}

// @ts-ignore: decorator
@inline
export function distanceExtra(slot: u32): u32 {
  return slot < 2 ? 0 : (slot >> 1) - 1;
}

/** The length of a word of the fixed code for literals and lengths (3.2.6). */
export function fixedLength(symbol: u32): u32 {
  return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
}
