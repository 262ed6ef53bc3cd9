/** The alphabets of deflate (RFC 1951, 3.2.5): which symbol says a length or a distance, and how many bits follow it. */

export const endOfBlock = 256;
export const literalSymbols = 286;
export const distanceSymbols = 30;
export const shortestMatch = 3;
export const longestMatch = 258;
export const windowSize = 32 * 1024;

/** By length of a match: its symbol, which stands behind the literals. */
export const lengthSymbol = new Uint16Array(longestMatch + 1);
/** By length: the value of its extra bits, and how many they are. */
export const lengthExtra = new Uint8Array(longestMatch + 1);
export const lengthExtraBits = new Uint8Array(longestMatch + 1);

/** By symbol: the smallest distance, less one, and how many extra bits add to it. */
export const distanceBase = new Uint16Array(distanceSymbols);
export const distanceExtraBits = new Uint8Array(distanceSymbols);
/** By {@link distancePlace}: the symbol. */
export const distanceSymbol = new Uint8Array(512);

/** Where the symbol of a distance, less one, stands: far ones by what is above their last 7 bits, of which none matters. */
export function distancePlace(distance: number): number {
  return distance < 256 ? distance : 256 + (distance >>> 7);
}

for (let symbol = 0, length = shortestMatch; length < longestMatch; symbol++) {
  const bits = symbol < 8 ? 0 : (symbol >>> 2) - 1;
  for (let extra = 0; extra < 1 << bits && length < longestMatch; extra++, length++) {
    lengthSymbol[length] = endOfBlock + 1 + symbol;
    lengthExtra[length] = extra;
    lengthExtraBits[length] = bits;
  }
}
// The longest has a symbol of its own, without extra bits.
lengthSymbol[longestMatch] = literalSymbols - 1;

for (let symbol = 0, base = 0; symbol < distanceSymbols; symbol++) {
  const bits = symbol < 4 ? 0 : (symbol >>> 1) - 1;
  distanceBase[symbol] = base;
  distanceExtraBits[symbol] = bits;
  for (let distance = base; distance < base + (1 << bits); distance++) {
    distanceSymbol[distancePlace(distance)] = symbol;
  }
  base += 1 << bits;
}
