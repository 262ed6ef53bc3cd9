import { execFile } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { LadingError } from '../errors/errors.js';

/** Copies a folder with everything in it, and everything about it, to a path that is free. @throws LadingError IO */
export async function copyTree(source: string, target: string): Promise<void> {
  try {
    await promisify(execFile)('cp', ['-a', '--reflink=auto', '-T', '--', source, target], {
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
    });
  } catch (cause) {
    throw new LadingError('IO', `${source} cannot be copied for a mount that is only read`, {
      details: { path: source },
      cause,
    });
  }
}

/** A folder in which everybody can make files, whatever the umask is. */
export async function makeOpenFolder(path: string, mode = 0o1777): Promise<void> {
  await mkdir(path);
  await chmod(path, mode);
}
