import { utimesSync } from 'node:fs';
import { promisify } from 'node:util';

const second = 1_000_000_000n;

/**
 * Sets the times of a file to the nanosecond. Node sets them as floating numbers, which are exact for whole seconds alone:
 * `touch` does the rest, where it can: that of busybox knows no fractions, and no argument holds a name that is no text.
 * @param path links at its end are followed
 */
export async function setTimes(path: string | Buffer, atimeNs: bigint, mtimeNs: bigint): Promise<void> {
  utimesSync(path, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
  if (mtimeNs % second === 0n || typeof path !== 'string') return;
  const time = `@${mtimeNs / second}.${String(mtimeNs % second).padStart(9, '0')}`;
  const env = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };
  const { execFile } = await import('node:child_process');
  await promisify(execFile)('touch', ['-m', '-d', time, '--', path], { env }).catch(() => {});
}
