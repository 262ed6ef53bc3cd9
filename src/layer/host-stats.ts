import { readlinkSync } from 'node:fs';
import { decodePath, toHostPath } from '../tree/path.js';

/** Whole seconds, rounded down before 1970 too. */
export function wholeSeconds(nanoseconds: bigint): number {
  const whole = nanoseconds / 1_000_000_000n;
  return Number(nanoseconds < 0n && whole * 1_000_000_000n !== nanoseconds ? whole - 1n : whole);
}

/** Linux's encoding of `dev_t`. */
export function deviceNumbers(rdev: bigint): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  };
}

/** What a symbolic link says, spelled as in `path.ts`. */
export function linkTarget(path: string): string {
  return decodePath(readlinkSync(toHostPath(path), { encoding: 'buffer' }));
}
