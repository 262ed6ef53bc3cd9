/** Bits of the longest code of deflate. */
const longestCode = 15;
/** Of all alphabets of deflate the largest. */
const mostSymbols = 288;

// Used again by every call: codes are made by the hundred thousand.
const keys = new Float64Array(mostSymbols);
const weights = new Float64Array(2 * mostSymbols);
const parents = new Uint16Array(2 * mostSymbols);
const depths = new Uint8Array(2 * mostSymbols);
const counts = new Int32Array(longestCode + 1);
const nextCodes = new Uint16Array(longestCode + 1);

/**
 * Sets the length in bits, at most `limit`, of a prefix code for each symbol that occurs; 0 for those that do not. There
 * is always at least one code, for decoders want one.
 */
export function setCodeLengths(frequencies: Uint32Array, limit: number, lengths: Uint8Array): void {
  lengths.fill(0);
  let count = 0;
  for (let symbol = 0; symbol < frequencies.length; symbol++) {
    // Sorted as numbers, by frequency and then by symbol.
    if (frequencies[symbol]! > 0) keys[count++] = frequencies[symbol]! * 512 + symbol;
  }
  if (count < 2) {
    lengths[count === 1 ? keys[0]! % 512 : 0] = 1;
    return;
  }
  const sorted = keys.subarray(0, count).sort();
  countDepths(sorted, limit);
  // Rarest first, so that they get the longest codes.
  for (let length = limit, i = 0; length > 0; length--) {
    for (let left = counts[length]!; left > 0; left--) lengths[sorted[i++]! % 512] = length;
  }
}

/** Counts how many codes there are of each length, in a Huffman tree that has been cut at `limit`. */
function countDepths(sorted: Float64Array, limit: number): void {
  const leaves = sorted.length;
  const root = 2 * leaves - 2;
  for (let i = 0; i < leaves; i++) weights[i] = Math.floor(sorted[i]! / 512);
  // Leaves and nodes are two queues that are sorted both: the lightest is in front of one of them.
  let leaf = 0;
  let node = leaves;
  for (let made = leaves; made <= root; made++) {
    let weight = 0;
    for (let child = 0; child < 2; child++) {
      const lightest = leaf < leaves && (node === made || weights[leaf]! <= weights[node]!) ? leaf++ : node++;
      weight += weights[lightest]!;
      parents[lightest] = made;
    }
    weights[made] = weight;
  }
  counts.fill(0);
  depths[root] = 0;
  for (let i = root - 1; i >= 0; i--) {
    const depth = depths[parents[i]!]! + 1;
    depths[i] = depth;
    if (i < leaves) counts[Math.min(depth, limit)]! += 1;
  }
  // Codes that were cut short take more room than there is: others become longer for them.
  let room = 0;
  for (let length = 1; length <= limit; length++) room += counts[length]! << (limit - length);
  for (; room > 1 << limit; room--) {
    let length = limit - 1;
    while (counts[length] === 0) length--;
    counts[limit]! -= 1;
    counts[length]! -= 1;
    counts[length + 1]! += 2;
  }
}

/** Sets the codes that belong to the lengths (RFC 1951, 3.2.2), their first bit lowest, as they are written. */
export function setCodes(lengths: Uint8Array, codes: Uint16Array): void {
  counts.fill(0);
  for (const length of lengths) counts[length]! += 1;
  counts[0] = 0;
  for (let length = 1, code = 0; length <= longestCode; length++) {
    code = (code + counts[length - 1]!) << 1;
    nextCodes[length] = code;
  }
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    if (length === 0) continue;
    let code = nextCodes[length]!++;
    let reversed = 0;
    for (let bit = 0; bit < length; bit++, code >>>= 1) reversed = (reversed << 1) | (code & 1);
    codes[symbol] = reversed;
  }
}
