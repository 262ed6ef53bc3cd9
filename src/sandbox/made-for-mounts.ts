import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file or folder that had to be made in a root, for something to be mounted on. */
export interface MadeForMount {
  /** Inside the root, with a leading `/`, through no link. */
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** When the folder that it is in had been changed before, in seconds with nine digits behind the point. */
  readonly parentTime: string;
}

/** When folders were changed, in nanoseconds, by their path inside the root. */
export type FolderTimes = ReadonlyMap<string, bigint>;

/** Of the folders in which something was made for mounts, as they are now. @param folder where the root's changes are */
export async function folderTimes(made: readonly MadeForMount[], folder: string): Promise<FolderTimes> {
  const times = new Map<string, bigint>();
  for (const path of new Set(made.map(each => dirname(each.path)))) {
    const found = await lstat(join(folder, path), { bigint: true }).catch(() => undefined);
    if (found?.isDirectory()) times.set(path, found.mtimeNs);
  }
  return times;
}

/**
 * Takes away what was made for mounts and is still as it was made, and gives the folders their times back: the process
 * has not asked for any of it. A folder that the process has changed keeps the time of that. Nothing else runs in the root
 * any more, so a path that has no link in it stays so.
 * @param folder where the root's changes are
 * @param ready as the folders were before the process began
 * @param touch path of the program of that name: Node does not set times to the nanosecond
 */
export async function removeMadeForMounts(
  made: readonly MadeForMount[],
  { folder, ready, touch }: { readonly folder: string; readonly ready: FolderTimes; readonly touch: string },
): Promise<void> {
  const ended = await folderTimes(made, folder);
  for (const { path, kind, parentTime } of made.toReversed()) {
    const around = dirname(path);
    const parent = join(folder, around);
    if (!(await hasNoLinks(folder, around))) continue;
    const place = join(folder, path);
    const found = await lstat(place).catch(() => undefined);
    if (found === undefined) continue;
    if (kind === 'folder') {
      if (!found.isDirectory() || !(await removed(rmdir(place)))) continue;
    } else {
      if (!found.isFile() || found.size > 0) continue;
      await rm(place);
    }
    const now = ended.get(around) ?? 0n;
    const time = now === ready.get(around) ? parentTime : `${now / second}.${String(now % second).padStart(9, '0')}`;
    const child = spawn(touch, ['-m', '-d', `@${time}`, '--', parent], { stdio: 'ignore', env: { LC_ALL: 'C' } });
    await once(child, 'close');
  }
}

const second = 1_000_000_000n;

async function removed(removal: Promise<void>): Promise<boolean> {
  return removal.then(
    () => true,
    () => false,
  );
}

async function hasNoLinks(root: string, path: string): Promise<boolean> {
  let place = root;
  for (const name of path.split('/').filter(Boolean)) {
    place = join(place, name);
    const found = await lstat(place).catch(() => undefined);
    if (!found?.isDirectory()) return false;
  }
  return true;
}
