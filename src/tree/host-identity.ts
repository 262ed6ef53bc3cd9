import type { FileTime } from './node.js';

/** What `stat` says that tells a file from another; `BigIntStats` is such. Times are ns since 1970. */
export interface IdentityNumbers {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly mode: bigint;
}

/**
 * What tells a file on this machine from another and from a later version of itself, as a row of a table: the
 * {@link IdentityNumbers} in their order, of 64 bits each, those that are unsigned wrapped. A context can have a million
 * files: six big integers for each, and an object that holds them, would cost more than all else that is done for it.
 */
export interface HostIdentity {
  /** Two words a number. */
  readonly words: Int32Array;
  /** Where the row begins. */
  readonly at: number;
}

/** Words of a row. */
export const identityWords = 12;

/** Which word of a number holds its lower half. */
const low = new Int32Array(BigInt64Array.of(1n).buffer)[0] === 1 ? 0 : 1;
const high = 1 - low;

/** Where in a row each number begins. */
const columns = { ino: 2, size: 4, mtimeNs: 6, ctimeNs: 8, mode: 10 } as const;

/** A table of one row. */
export function hostIdentity(numbers: IdentityNumbers): HostIdentity {
  const row = new BigInt64Array(identityWords / 2);
  setNumbers(row, 0, numbers);
  return { words: wordsOf(row), at: 0 };
}

/** The words of a table of numbers, in the same memory. */
export function wordsOf<T extends ArrayBufferLike>(numbers: BigInt64Array<T>): Int32Array<T> {
  return new Int32Array(numbers.buffer, numbers.byteOffset, numbers.length * 2);
}

/** Writes a row from the number `at` on. */
export function setNumbers(table: BigInt64Array, at: number, numbers: IdentityNumbers): void {
  table[at] = numbers.dev;
  table[at + 1] = numbers.ino;
  table[at + 2] = numbers.size;
  table[at + 3] = numbers.mtimeNs;
  table[at + 4] = numbers.ctimeNs;
  table[at + 5] = numbers.mode;
}

export function identityNumbers({ words, at }: HostIdentity): IdentityNumbers {
  const row = new BigInt64Array(words.slice(at, at + identityWords).buffer);
  const unsigned = (number: number): bigint => BigInt.asUintN(64, row[number]!);
  return {
    dev: unsigned(0),
    ino: unsigned(1),
    size: row[2]!,
    mtimeNs: row[3]!,
    ctimeNs: row[4]!,
    mode: BigInt.asUintN(32, row[5]!),
  };
}

/** Copies a row; nothing but the mode is taken of the number that holds it. */
export function copyIdentity(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): void {
  for (let word = 0; word < columns.mode; word++) to[toAt + word] = from[fromAt + word]!;
  to[toAt + columns.mode + low] = from[fromAt + columns.mode + low]!;
  to[toAt + columns.mode + high] = 0;
}

/** Whether nothing that `stat` said differs; of the mode, the permission bits. */
export function sameIdentity(a: Int32Array, aAt: number, b: Int32Array, bAt: number): boolean {
  for (let word = columns.mode - 1; word >= 0; word--) if (a[aAt + word] !== b[bAt + word]) return false;
  return ((modeAt(a, aAt) ^ modeAt(b, bAt)) & 0o7777) === 0;
}

/** Mode with type: 32 bits. */
export function modeAt(words: Int32Array, at: number): number {
  return words[at + columns.mode + low]!;
}

/** What stands above the mode in its number. */
export function aboveModeAt(words: Int32Array, at: number): number {
  return words[at + columns.mode + high]!;
}

/** The lower half of the inode's number. */
export function inodeHalfAt(words: Int32Array, at: number): number {
  return words[at + columns.ino + low]!;
}

export function sameInode(a: Int32Array, aAt: number, b: Int32Array, bAt: number): boolean {
  return a[aAt + columns.ino] === b[bAt + columns.ino] && a[aAt + columns.ino + 1] === b[bAt + columns.ino + 1];
}

/** Bytes. */
export function identitySize({ words, at }: HostIdentity): number {
  return numberAt(words, at + columns.size);
}

/** When it was last written to, and when it last changed in any way: ns since 1970, rounded by less than a microsecond. */
export function identityTimes({ words, at }: HostIdentity): { readonly mtime: number; readonly ctime: number } {
  return { mtime: numberAt(words, at + columns.mtimeNs), ctime: numberAt(words, at + columns.ctimeNs) };
}

/** When it was last written to, exactly: the number is divided in pieces of 16 bits, of which nothing is rounded. */
export function identityTime({ words, at }: HostIdentity): FileTime {
  const upper = words[at + columns.mtimeNs + high]!;
  const lower = words[at + columns.mtimeNs + low]!;
  const first = Math.floor(upper / 1e9);
  const middle = (upper - first * 1e9) * 0x10000 + (lower >>> 16);
  const second = Math.floor(middle / 1e9);
  const rest = (middle - second * 1e9) * 0x10000 + (lower & 0xffff);
  const third = Math.floor(rest / 1e9);
  return { mtime: first * 2 ** 32 + second * 0x10000 + third, mtimeNanoseconds: rest - third * 1e9 };
}

function numberAt(words: Int32Array, at: number): number {
  return words[at + high]! * 2 ** 32 + (words[at + low]! >>> 0);
}
