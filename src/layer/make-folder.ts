import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder that the user names, and those above it. Node's own way (`recursive`) never comes back, and can be stopped by
 * no signal, where a folder is there in which nothing can be found or made (`/proc`): it tries for ever.
 * @throws what the system says
 */
export function makeFolder(path: string): void {
  if (made(path)) return;
  makeFolder(dirname(path));
  if (!made(path)) mkdirSync(path);
}

/** Whether it is there, be it that it was before; not where the one above it is missing. */
function made(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return true;
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    throw error;
  }
}
