import { type BigIntStats, chmodSync, closeSync, constants, lstatSync, openSync } from 'node:fs';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { folderNames } from '../layer/folder-names.js';
import { toHostPath } from '../tree/path.js';
import type { FoundFile } from './found-change.js';
import { loosened } from './loosened.js';

/** Linux takes no path that is longer than 4096 bytes; a name has up to 255. */
const longPath = 3800;
const longFolders = 1000;
/** Linux: a descriptor that only names a file; Node has no constant for it. */
const O_PATH = 0o10000000;

/**
 * Looks at what a process has left below a folder. A process can go deeper than a path can say: such folders are held by a
 * descriptor, and what is in them named through it, until this is closed. Where whoever builds owns all files, and is not
 * root, those that their owner may not read are made readable on the way.
 */
export class WalkedFolders {
  readonly #owners: 'kept' | 'recorded';
  readonly #held: number[] = [];
  readonly #loosened = new Set<bigint>();

  constructor(owners: 'kept' | 'recorded') {
    this.#owners = owners;
  }

  /** @throws LadingError IO */
  names(folder: string): string[] {
    try {
      return folderNames(folder);
    } catch (error) {
      throw ioError(error, folder);
    }
  }

  /** @throws LadingError IO */
  look(path: string, host: string): FoundFile {
    try {
      const stats = lstat(host);
      if (this.#owners === 'kept' || stats.isSymbolicLink()) return { path, stats, host };
      const type = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'other';
      const mode = Number(stats.mode) & 0o7777;
      if (loosened(mode, type) === mode) return { path, stats, host };
      chmodSync(toHostPath(host), loosened(mode, type));
      this.#loosened.add(stats.ino);
      return { path, stats: lstat(host), host, mode };
    } catch (error) {
      throw ioError(error, host);
    }
  }

  /** Where what is in a folder that was found can be named from. */
  enter(host: string): string {
    if (host.length < longPath) return host;
    if (this.#held.length >= longFolders) {
      throw new LadingError('PATH_INVALID', 'a process has made more deep folders than can be read', {
        details: { path: host.slice(0, 200).toWellFormed(), problem: 'too deep' },
      });
    }
    try {
      const fd = openSync(toHostPath(host), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
      this.#held.push(fd);
      return `/proc/self/fd/${fd}`;
    } catch (error) {
      throw ioError(error, host);
    }
  }

  /** What was found, looked at again where another name of the file has been made readable since. */
  settled<T extends FoundFile | { readonly gone: true }>(found: readonly T[]): T[] {
    if (this.#loosened.size === 0) return [...found];
    return found.map(change => {
      if (!('stats' in change) || change.stats.nlink < 2n || !this.#loosened.has(change.stats.ino)) return change;
      const { mode = Number(change.stats.mode) & 0o7777 } = change;
      return { ...change, stats: lstat(change.host), mode };
    });
  }

  close(): void {
    for (const fd of this.#held.splice(0)) closeSync(fd);
  }
}

function lstat(host: string): BigIntStats {
  return lstatSync(toHostPath(host), { bigint: true });
}
