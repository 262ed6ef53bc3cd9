import { chmodSync, lstatSync, rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { ioError } from '../errors/io-error.js';
import { toHostPath } from '../tree/path.js';
import { folderNames } from './folder-names.js';

/**
 * Deletes a folder with all that is in it, as files of images are: folders that their owner may not enter, and paths that
 * are longer than the system takes. Links are deleted, never followed; nothing happens when nothing is there.
 * @throws LadingError IO for what belongs to somebody else
 */
export async function removeFiles(path: string): Promise<void> {
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
  try {
    // Most that are given up are empty.
    return rmdirSync(path);
  } catch {
    // It holds something, is no folder, or is not there.
  }
  try {
    await remove();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // `rm` goes down folder by folder, where Node takes whole paths.
    if (code === 'ENAMETOOLONG') {
      return await removeByProgram(path).catch(failure => {
        throw ioError(error, path) ?? failure;
      });
    }
    if (code !== 'EACCES' && code !== 'EPERM') throw ioError(error, path);
    openFolders(path);
    await remove().catch(failure => {
      throw ioError(failure, path);
    });
  }
}

async function removeByProgram(path: string): Promise<void> {
  const [{ execFile }, { promisify }] = await Promise.all([import('node:child_process'), import('node:util')]);
  await promisify(execFile)('rm', ['-rf', '--', path]);
}

/** Lets the owner into every folder, as far as it is ours to allow. */
function openFolders(path: string): void {
  const pending = [path];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    try {
      const stats = lstatSync(toHostPath(folder));
      if (!stats.isDirectory()) continue;
      if ((stats.mode & 0o700) !== 0o700) chmodSync(toHostPath(folder), stats.mode | 0o700);
      for (const name of folderNames(folder)) pending.push(`${folder}/${name}`);
    } catch {
      // The removal says what is wrong with it.
    }
  }
}
