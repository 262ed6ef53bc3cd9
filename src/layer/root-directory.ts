import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { join, sep } from 'node:path';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { toHostPath } from '../tree/path.js';

/** Descriptors kept open along the current path; folders further down are opened anew each time. */
const keptDepth = 64;
/** Linux: a descriptor that only names a file; Node has no constant for it. */
const O_PATH = 0o10000000;

/**
 * A directory on this machine below which paths are followed component by component, never through a symbolic link,
 * whether it was there before or somebody puts it there meanwhile. On Linux each folder is held by a descriptor and its
 * content named through it (`/proc/self/fd/N/name`, for want of `openat` in Node), which leaves no moment between check
 * and use; elsewhere each component is looked at before it is used.
 */
export class RootDirectory {
  readonly #root: string;
  readonly #rootFd: number | undefined;
  readonly #kept: Array<{ readonly name: string; readonly fd: number }> = [];
  #deep: number | undefined;

  /** @throws LadingError IO when `root` is not a directory that can be entered */
  constructor(root: string) {
    this.#root = root;
    try {
      const held = sep === '/' && existsSync('/proc/self/fd');
      this.#rootFd = held ? openSync(root, O_PATH | constants.O_DIRECTORY) : undefined;
    } catch (error) {
      throw ioError(error, root);
    }
  }

  /**
   * The host path of the folder at `path`, good until the next call. Folders that are missing are made (0755).
   * @throws LadingError PATH_INVALID when a component is not a folder
   */
  enter(path: string): string {
    const names = path === '' ? [] : path.split('/');
    for (const name of names) checkName(name, path);
    return this.#rootFd === undefined ? this.#enterByPath(names, path) : this.#enterByDescriptor(names, path);
  }

  close(): void {
    this.#keep(0);
    this.#closeDeep();
    if (this.#rootFd !== undefined) closeSync(this.#rootFd);
  }

  #enterByDescriptor(names: readonly string[], path: string): string {
    this.#closeDeep();
    let same = 0;
    while (same < this.#kept.length && this.#kept[same]!.name === names[same]) same++;
    this.#keep(same);
    let fd = this.#kept.at(-1)?.fd ?? this.#rootFd!;
    for (let depth = same; depth < names.length; depth++) {
      const name = names[depth]!;
      fd = openFolder(`/proc/self/fd/${fd}/${name}`, path);
      if (depth < keptDepth) {
        this.#kept.push({ name, fd });
      } else {
        this.#closeDeep();
        this.#deep = fd;
      }
    }
    return `/proc/self/fd/${fd}`;
  }

  #keep(depth: number): void {
    while (this.#kept.length > depth) closeSync(this.#kept.pop()!.fd);
  }

  #closeDeep(): void {
    if (this.#deep !== undefined) closeSync(this.#deep);
    this.#deep = undefined;
  }

  #enterByPath(names: readonly string[], path: string): string {
    let folder = this.#root;
    for (const name of names) {
      folder = join(folder, name);
      const stat = lstatSync(toHostPath(folder), { throwIfNoEntry: false });
      if (stat === undefined) makeFolder(folder, path);
      else if (!stat.isDirectory()) throw notAFolder(path);
    }
    return folder;
  }
}

function openFolder(hostPath: string, path: string): number {
  const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  for (let attempt = 0; ; attempt++) {
    try {
      return openSync(toHostPath(hostPath), flags);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTDIR' || code === 'ELOOP') throw notAFolder(path);
      if (code !== 'ENOENT' || attempt > 0) throw ioError(error, path.toWellFormed());
      makeFolder(hostPath, path);
    }
  }
}

function makeFolder(hostPath: string, path: string): void {
  try {
    mkdirSync(toHostPath(hostPath), 0o755);
  } catch (error) {
    throw ioError(error, path.toWellFormed());
  }
}

/** Paths of trees are clean; what comes from elsewhere must not be trusted to be. */
function checkName(name: string, path: string): void {
  const foreign = sep === '\\' && /[\\:]/.test(name);
  if (name === '' || name === '.' || name === '..' || name.includes('\0') || foreign) {
    throw new LadingError(
      'PATH_INVALID',
      `${JSON.stringify(path.toWellFormed())} is not a path that can be written here`,
      {
        details: { path: path.toWellFormed(), problem: 'a component is not a file name' },
      },
    );
  }
}

function notAFolder(path: string): LadingError<'PATH_INVALID'> {
  const shown = path.toWellFormed();
  return new LadingError('PATH_INVALID', `a part of ${shown} is a file or a symbolic link where a folder is needed`, {
    details: { path: shown, problem: 'a component is not a folder' },
    hint: 'Nothing is written through links: remove it, or write to an empty folder.',
  });
}
