/** Prefix codes for symbols that occur so often, with no word longer than a limit. */

/** u32: how often, shifted by `symbolBits`, and the symbol. */
const symbolBits: u32 = 9;
const symbolMask: u32 = (1 << symbolBits) - 1;
const sorted: usize = memory.data((288 + 1) * 4, 4);
const spare: usize = memory.data(288 * 4, 4);
const digits: usize = memory.data(256 * 4, 4);
/** u32 for each inner node of the tree, in the order in which they are made: its weight, and then its depth. */
const inners: usize = memory.data(288 * 4, 4);
/** u16 for each leaf, and behind them for each inner node: which inner node it hangs from. */
const parents: usize = memory.data(288 * 2 * 2, 2);
/** More than a tree has levels: its weight would be the sum of as many numbers of Fibonacci, and 2^23 is too large for it. */
const mostDepths: u32 = 40;
/** u32 for each level: how many inner nodes there are. */
const innerCounts: usize = memory.data(40 * 4, 4);
/** u32 for each length: how many words have it, and the next of them. */
const lengthCounts: usize = memory.data(17 * 4, 4);
const nextWords: usize = memory.data(17 * 4, 4);

/**
 * `counts`: u32 each. `lengths`: u8 each, 0 for symbols that do not occur. There are always two words at least: some
 * readers refuse less.
 */
export function codeLengths(counts: usize, symbols: u32, limit: u32, lengths: usize): void {
  memory.fill(lengths, 0, symbols);
  const used = sortSymbols(counts, symbols);
  if (used < 2) {
    const symbol: u32 = used === 0 ? 0 : load<u32>(sorted) & symbolMask;
    store<u8>(lengths + symbol, 1);
    store<u8>(lengths + (symbol === 0 ? 1 : 0), 1);
    return;
  }
  makeTree(used);
  countLengths(used, limit);
  // The rarest have the longest words.
  let at = sorted;
  for (let length = limit; length > 0; length--) {
    for (let n = load<u32>(lengthCounts + (length << 2)); n > 0; n--, at += 4) {
      store<u8>(lengths + (load<u32>(at) & symbolMask), <u8>length);
    }
  }
}

/** Those that occur, rarest first, by a radix sort; returns how many. */
function sortSymbols(counts: usize, symbols: u32): u32 {
  let used: u32 = 0;
  let all: u32 = 0;
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const count = load<u32>(counts + (symbol << 2));
    if (count === 0) continue;
    all |= count;
    store<u32>(sorted + (used++ << 2), (count << symbolBits) | symbol);
  }
  let from = sorted;
  let to = spare;
  for (let shift = symbolBits; shift < 32 && all >> (shift - symbolBits) !== 0; shift += 8) {
    sortByDigit(from, to, used, shift);
    const other = from;
    from = to;
    to = other;
  }
  if (from !== sorted) memory.copy(sorted, from, used << 2);
  return used;
}

function sortByDigit(from: usize, to: usize, used: u32, shift: u32): void {
  memory.fill(digits, 0, 256 * 4);
  for (let i: u32 = 0; i < used; i++) add(digits, (load<u32>(from + (i << 2)) >> shift) & 255, 1);
  let sum: u32 = 0;
  for (let digit: u32 = 0; digit < 256; digit++) {
    const count = load<u32>(digits + (digit << 2));
    store<u32>(digits + (digit << 2), sum);
    sum += count;
  }
  for (let i: u32 = 0; i < used; i++) {
    const key = load<u32>(from + (i << 2));
    const digit = (key >> shift) & 255;
    store<u32>(to + (load<u32>(digits + (digit << 2)) << 2), key);
    add(digits, digit, 1);
  }
}

/**
 * Huffman's tree. Leaves and inner nodes both come in the order of their weights, so the lightest are always in front. Which
 * of the two it is cannot be foretold, so there is no branch for it: those that are not there are heavier than any.
 */
function makeTree(used: u32): void {
  store<u32>(sorted + (used << 2), 0xffffffff);
  memory.fill(inners, 0xff, used << 2);
  let leaf: u32 = 0;
  let inner: u32 = 0;
  for (let made: u32 = 0; made < used - 1; made++) {
    let weight: u32 = 0;
    for (let child = 0; child < 2; child++) {
      const leafWeight = load<u32>(sorted + (leaf << 2)) >> symbolBits;
      const innerWeight = load<u32>(inners + (inner << 2));
      const isLeaf = <u32>(leafWeight <= innerWeight);
      weight += min(leafWeight, innerWeight);
      store<u16>(parents + (select<u32>(leaf, used + inner, isLeaf) << 1), <u16>made);
      leaf += isLeaf;
      inner += isLeaf ^ 1;
    }
    store<u32>(inners + (made << 2), weight);
  }
}

/** How many words of each length the code has: those of the tree, cut to the limit. */
function countLengths(used: u32, limit: u32): void {
  memory.fill(innerCounts, 0, mostDepths << 2);
  // From the root down: weights are not needed any more, depths take their place.
  store<u32>(inners + ((used - 2) << 2), 0);
  add(innerCounts, 0, 1);
  for (let i: i32 = used - 3; i >= 0; i--) {
    const parent: u32 = load<u16>(parents + ((used + i) << 1));
    const depth = load<u32>(inners + (parent << 2)) + 1;
    store<u32>(inners + (i << 2), depth);
    add(innerCounts, depth, 1);
  }
  memory.fill(lengthCounts, 0, 17 * 4);
  // How many words of the greatest length could still be added; less than none where words have been cut.
  let room: i32 = 1 << limit;
  for (let depth: u32 = 1; depth < mostDepths; depth++) {
    // What hangs there and is no inner node is a leaf.
    const leaves = 2 * load<u32>(innerCounts + ((depth - 1) << 2)) - load<u32>(innerCounts + (depth << 2));
    const length = min(depth, limit);
    add(lengthCounts, length, leaves);
    room -= leaves << (limit - length);
  }
  while (room < 0) {
    // Longer by one: as long a word as may be, which costs least.
    let length = limit - 1;
    while (load<u32>(lengthCounts + (length << 2)) === 0) length--;
    add(lengthCounts, length, -1);
    add(lengthCounts, length + 1, 1);
    room += 1 << (limit - length - 1);
  }
  while (room > 0) {
    // That was more than needed: shorter by one, as long a word as there is room for.
    let length = limit;
    while (load<u32>(lengthCounts + (length << 2)) === 0 || 1 << (limit - length) > room) length--;
    add(lengthCounts, length, -1);
    add(lengthCounts, length - 1, 1);
    room -= 1 << (limit - length);
  }
}

function add(counts: usize, place: u32, number: u32): void {
  const at = counts + (place << 2);
  store<u32>(at, load<u32>(at) + number);
}

/** `words`: u32 each, the length of the word, and from bit 8 on the word as it is written, from its low bits on. */
export function codeWords(lengths: usize, symbols: u32, words: usize): void {
  memory.fill(lengthCounts, 0, 17 * 4);
  for (let symbol: u32 = 0; symbol < symbols; symbol++) add(lengthCounts, load<u8>(lengths + symbol), 1);
  store<u32>(lengthCounts, 0);
  let word: u32 = 0;
  for (let length: u32 = 1; length <= 16; length++) {
    word = (word + load<u32>(lengthCounts + ((length - 1) << 2))) << 1;
    store<u32>(nextWords + (length << 2), word);
  }
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const length: u32 = load<u8>(lengths + symbol);
    const next = load<u32>(nextWords + (length << 2));
    store<u32>(words + (symbol << 2), length === 0 ? 0 : length | (reversed(next, length) << 8));
    add(nextWords, length, 1);
  }
}

function reversed(word: u32, length: u32): u32 {
  let bits = word;
  bits = ((bits & 0x5555) << 1) | ((bits >> 1) & 0x5555);
  bits = ((bits & 0x3333) << 2) | ((bits >> 2) & 0x3333);
  bits = ((bits & 0x0f0f) << 4) | ((bits >> 4) & 0x0f0f);
  bits = ((bits & 0x00ff) << 8) | ((bits >> 8) & 0x00ff);
  return bits >> (16 - length);
}
