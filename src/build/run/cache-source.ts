import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { pid } from 'node:process';
import { LadingError } from '../../errors/errors.js';
import { ioError } from '../../errors/io-error.js';

/** Linux: a descriptor that only names a file; Node has no constant for it. */
const O_PATH = 0o10000000;
const flags = O_PATH | constants.O_NOFOLLOW;

export interface CacheSource {
  /** Good until it is closed, whatever is put in its place meanwhile. */
  readonly path: string;
  close(): void;
}

/**
 * A file or folder inside of a cache. What commands have put there is hostile, and others may be changing it at this very
 * moment: no link is followed, and what was found is held by a descriptor.
 * @throws LadingError PATH_NOT_FOUND, PATH_INVALID
 */
export function cacheSource(folder: string, source: string): CacheSource {
  if (source === '/') return { path: folder, close: () => {} };
  let fd = openAt(folder, folder);
  try {
    for (const name of source.split('/').filter(part => part !== '')) {
      const next = openAt(`/proc/self/fd/${fd}/${name}`, source);
      closeSync(fd);
      fd = next;
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { path: `/proc/${pid}/fd/${fd}`, close: () => closeSync(fd) };
}

function openAt(path: string, shown: string): number {
  try {
    // Of a link itself there would be a descriptor: only folders have names below them, and a last one is looked at here.
    const fd = openSync(path, flags);
    if (!fstatSync(fd).isSymbolicLink()) return fd;
    closeSync(fd);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new LadingError('PATH_NOT_FOUND', `${shown} is not in the cache`, { details: { path: shown } });
    }
    if (code !== 'ENOTDIR' && code !== 'ELOOP') throw ioError(error, shown);
  }
  throw new LadingError('PATH_INVALID', `a part of ${shown} is a symbolic link, or no folder, in the cache`, {
    details: { path: shown, problem: 'links in caches are not followed' },
  });
}
