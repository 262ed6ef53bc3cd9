import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes a folder with everything in it, also where its owner is not allowed to: a process can make such folders. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await unlock(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** What the removal before has begun may still be going on: what is gone meanwhile is no matter. */
async function unlock(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined))?.isDirectory() !== true) return;
  await chmod(path, 0o700).catch(() => {});
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await unlock(join(path, entry.name));
}
