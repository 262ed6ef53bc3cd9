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

/**
 * Takes away what was made for mounts and is still as it was made, and gives the folders their times back: the process
 * has not asked for any of it. Nothing else runs in the root any more, so a path that has no link in it stays so.
 * @param folder where the root's changes are
 * @param touch path of the program of that name: Node does not set times to the nanosecond
 */
export async function removeMadeForMounts(made: readonly MadeForMount[], folder: string, touch: string): Promise<void> {
  for (const { path, kind, parentTime } of made.toReversed()) {
    const parent = join(folder, dirname(path));
    if (!(await hasNoLinks(folder, dirname(path)))) continue;
    const place = join(folder, path);
    const found = await lstat(place).catch(() => undefined);
    if (found === undefined) continue;
    if (kind === 'folder') {
      if (!found.isDirectory() || !(await removed(rmdir(place)))) continue;
    } else {
      if (!found.isFile() || found.size > 0) continue;
      await rm(place);
    }
    const child = spawn(touch, ['-m', '-d', `@${parentTime}`, '--', parent], { stdio: 'ignore', env: { LC_ALL: 'C' } });
    await once(child, 'close');
  }
}

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
