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
