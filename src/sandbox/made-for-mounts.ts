import { type BigIntStats, lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decodePath, toHostPath } from '../tree/path.js';
import { setTimes } from './set-times.js';

/** A file or folder that had to be made in a root, for something to be mounted on. */
export interface MadeForMount {
  /** Inside the root, with a leading `/`, through no link. */
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** When the folder that it is in had been changed before, in seconds with nine digits behind the point. */
  readonly parentTime: string;
}

/** What was made in a root, as the launcher tells it line by line. */
export interface MadeReport {
  readonly made: MadeForMount[];
  /** When folders were changed, as `parentTime`, by their path inside the root, before the process began. */
  readonly ready: Map<string, string>;
}

/** Takes `made KIND TIME PATH` and `ready TIME PATH`, where the bytes of paths are hexadecimal digits. */
export function addToReport({ made, ready }: MadeReport, line: string): void {
  const [what, ...rest] = line.split(' ');
  const path = decodePath(Buffer.from(rest.at(-1) ?? '', 'hex'));
  if (what === 'made') made.push({ path, kind: rest[0] === 'file' ? 'file' : 'folder', parentTime: rest[1]! });
  if (what === 'ready') ready.set(path || '/', rest[0]!);
}

/**
 * Takes away what was made for mounts and is still as it was made, and gives the folders their times back: the process
 * has not asked for any of it. A folder that the process has changed keeps the time of that. Nothing else runs in the root
 * any more, so a path that has no link in it stays so.
 * @param folder where the root's changes are
 */
export async function removeMadeForMounts(
  { made, ready }: MadeReport,
  { folder }: { readonly folder: string },
): Promise<void> {
  const ended = new Map<string, string>();
  for (const around of new Set(made.map(({ path }) => dirname(path)))) {
    const time = changedAt(folder, around);
    if (time !== undefined) ended.set(around, time);
  }
  const times = new Map<string, string>();
  for (const { path, kind, parentTime } of made.toReversed()) {
    const around = dirname(path);
    if (!hasNoLinks(folder, around)) continue;
    const place = hostPlace(folder, path);
    const found = statsOf(place);
    if (found === undefined) continue;
    if (kind === 'folder') {
      if (!found.isDirectory() || !isRemoved(place)) continue;
      times.delete(path);
    } else {
      if (!found.isFile() || found.size > 0n) continue;
      unlinkSync(place);
    }
    const now = ended.get(around);
    if (now !== undefined) times.set(around, now === ready.get(around) ? parentTime : now);
  }
  for (const [path, time] of times) {
    const place = hostPlace(folder, path);
    const { atimeNs } = lstatSync(place, { bigint: true });
    await setTimes(place, atimeNs, BigInt(time.replace('.', '')));
  }
}

const second = 1_000_000_000n;

function changedAt(folder: string, path: string): string | undefined {
  const found = statsOf(hostPlace(folder, path));
  if (!found?.isDirectory()) return undefined;
  return `${found.mtimeNs / second}.${String(found.mtimeNs % second).padStart(9, '0')}`;
}

/** Where a path inside the root is on this machine. */
function hostPlace(folder: string, path: string): string | Buffer {
  return toHostPath(join(folder, path));
}

function statsOf(place: string | Buffer): BigIntStats | undefined {
  try {
    return lstatSync(place, { bigint: true });
  } catch {
    return undefined;
  }
}

function isRemoved(place: string | Buffer): boolean {
  try {
    rmdirSync(place);
    return true;
  } catch {
    return false;
  }
}

function hasNoLinks(root: string, path: string): boolean {
  let place = root;
  for (const name of path.split('/').filter(Boolean)) {
    place = `${place}/${name}`;
    if (!statsOf(toHostPath(place))?.isDirectory()) return false;
  }
  return true;
}
