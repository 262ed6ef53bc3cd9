/**
 * The fields of a 512-byte tar header block: where they are and how numbers are written in them (POSIX.1-1988 ustar and
 * the GNU base-256 extension).
 */

export const blockSize = 512;

/** The smallest multiple of the block size that holds `size` bytes. */
export function paddedSize(size: number): number {
  // Not with bit operations: sizes go past 32 bits.
  return Math.ceil(size / blockSize) * blockSize;
}

/** Offset and length of each field. */
export const fields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  devMajor: [329, 8],
  devMinor: [337, 8],
  prefix: [345, 155],
} as const satisfies Record<string, readonly [offset: number, length: number]>;

/**
 * The number in a field: octal digits between blanks and NULs, or base-256 when the first bit is set. `NaN` when it is
 * neither, or goes past what a double holds exactly.
 */
export function parseNumber(block: Uint8Array, offset: number, length: number): number {
  if ((block[offset]! & 0x80) !== 0) return parseBase256(block, offset, length);
  const end = offset + length;
  let at = offset;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = block[at]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; at < end; at++) {
    if (block[at] === 0) break;
    if (block[at] !== 0x20) return Number.NaN;
  }
  return value;
}

/** Two's complement, most significant byte first; the first bit only marks the format. */
function parseBase256(block: Uint8Array, offset: number, length: number): number {
  const negative = (block[offset]! & 0x40) !== 0;
  const invert = negative ? 0xff : 0;
  let value = (block[offset]! ^ invert) & 0x7f;
  for (let at = offset + 1; at < offset + length; at++) {
    value = value * 256 + (block[at]! ^ invert);
    if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
  }
  return negative ? -value - 1 : value;
}

/** By the length of a field: the smallest number that it cannot say. */
const octalLimits = Array.from({ length: 13 }, (_, length) => 8 ** Math.max(0, length - 1));

/** Whether an octal field of `length` bytes, NUL at its end, can say `value`. */
export function fitsOctal(value: number, length: number): boolean {
  return value >= 0 && value < octalLimits[length]!;
}

/** Whether a text can stand in a field as it is, where there is room. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f || code === 0) return false;
  }
  return true;
}

/** Octal digits with leading zeros and a NUL behind; the caller has seen that they fit. */
export function writeOctal(block: Uint8Array, offset: number, length: number, value: number): void {
  let at = offset + length - 2;
  let rest = value;
  // Sizes go past 32 bits; nearly no file does.
  for (; rest > 0x7fffffff; at--) {
    const next = Math.floor(rest / 8);
    block[at] = 0x30 + (rest - next * 8);
    rest = next;
  }
  for (; at >= offset; at--) {
    block[at] = 0x30 + (rest & 7);
    rest >>>= 3;
  }
  block[offset + length - 1] = 0;
}

/** The sum of all bytes of a header block, its checksum field taken as blanks. */
export function headerChecksum(block: Uint8Array, start: number): number {
  let sum = 8 * 0x20;
  const field = start + fields.checksum[0];
  for (let at = start; at < field; at++) sum += block[at]!;
  for (let at = field + 8; at < start + blockSize; at++) sum += block[at]!;
  return sum;
}

/** What some old writers stored: the sum with bytes taken as signed. */
export function signedHeaderChecksum(block: Uint8Array, start: number): number {
  let sum = 8 * 0x20;
  for (let at = start; at < start + blockSize; at++) {
    const inField = at >= start + fields.checksum[0] && at < start + fields.checksum[0] + fields.checksum[1];
    if (!inField) sum += (block[at]! << 24) >> 24;
  }
  return sum;
}
