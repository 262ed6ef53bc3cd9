/** The polynomial of CRC-32 as gzip has it (RFC 1952), lowest power in the highest bit. */
const polynomial = 0xedb88320;

/** The CRC-32 of two pieces of bytes one behind the other, from their own and the length of the second. */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  return (multiply(first, powerOfX(secondLength * 8)) ^ second) >>> 0;
}

/** Product of two polynomials over GF(2), modulo the one above. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = 0x80000000; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) !== 0 ? (shifted >>> 1) ^ polynomial : shifted >>> 1;
  }
  return product;
}

/** `x` to the power of `exponent`; by squaring, so that a large piece costs no more than a small one. */
function powerOfX(exponent: number): number {
  let power = 0x80000000;
  let square = 0x40000000;
  // Not with bit operations: lengths go past 32 bits.
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return power;
}
