/** How many literals in a row it takes until a place is not looked at. */
export const patience: usize = 128;

/**
 * How many bytes at `at` are the same as those `distance` before; the first `known` are. `most` at
 * most. Reads up to 8 bytes past them.
 */
// @ts-ignore: decorator
@inline
export function matchLength(at: usize, distance: usize, known: u32, most: u32): u32 {
  let length = known;
  while (length < most) {
    const differ = load<u64>(at + length) ^ load<u64>(at - distance + length);
    if (differ !== 0) return min(most, length + <u32>(ctz(differ) >> 3));
    length += 8;
  }
  return most;
}

/** Whether a match one byte on is worth that byte: longer, or as long and much nearer. */
// @ts-ignore: decorator
@inline
export function isBetter(better: u32, match: u32): bool {
  const longer = <i32>(better & 0xffff) - <i32>(match & 0xffff);
  const nearer = <i32>clz<u32>((better >> 16) + 1) - <i32>clz<u32>((match >> 16) + 1);
  return better !== 0 && 4 * longer + nearer > 2;
}
