import { closeSync, constants, fstatSync, mkdirSync, openSync, readlinkSync } from 'node:fs';
import { pid } from 'node:process';
import { LadingError } from '../errors/errors.js';
import { decodePath, toHostPath } from '../tree/path.js';

/** Linux: a descriptor that only names a file; Node has no constant for it. */
const O_PATH = 0o10000000;
const named = O_PATH | constants.O_NOFOLLOW;
const linkLimit = 40;

/**
 * A path inside a root, followed as a process whose `/` is `root` would: it never leads out. Each folder on the way is held
 * by a descriptor, and what is in it is named through that: a process that exchanges folders for links meanwhile (one that
 * has the same cache, say) changes what is found, but not that it is inside.
 */
export class PathInRoot {
  readonly #path: string;
  readonly #names: string[] = [];
  /** Of the root, and of the folders of the names, as far as they are there and are folders. */
  readonly #folders: number[];
  #present = 0;

  /** @throws LadingError PATH_INVALID for link loops, and for a root that is no folder */
  constructor(root: string, path: string) {
    this.#path = path;
    this.#folders = [this.#made(() => openSync(root, O_PATH | constants.O_DIRECTORY))];
    try {
      this.#follow(namesOf(path).reverse());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** From the root down, with no link among those that are there. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** How many of the names are there. */
  get present(): number {
    return this.#present;
  }

  /** Whether the last name that is there is a folder's. */
  get endsInFolder(): boolean {
    return this.#folders.length > this.#present;
  }

  /** Where the folder of the first `count` names is, for this process and those that it starts, until this is closed. */
  folder(count: number): string {
    return `/proc/${pid}/fd/${this.#folders[count]!}`;
  }

  /** Where the thing of the first `count` names is, in a folder that is there. */
  place(count: number): string {
    return count === 0 ? this.folder(0) : `${this.folder(count - 1)}/${this.#names[count - 1]!}`;
  }

  /** Makes the folder of the first name that is missing. @returns where it is. @throws LadingError PATH_INVALID */
  makeFolder(): string {
    const place = this.place(this.#present + 1);
    const folder = this.#made(() => {
      mkdirSync(place);
      return openSync(place, named | constants.O_DIRECTORY);
    });
    this.#folders.push(folder);
    this.#present += 1;
    return this.folder(this.#present);
  }

  close(): void {
    for (const folder of this.#folders.splice(0)) closeSync(folder);
  }

  #follow(ahead: string[]): void {
    let links = 0;
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      if (name === '..') {
        this.#names.pop();
        this.#cut(this.#names.length);
        continue;
      }
      const found = this.#look(name);
      if (found !== 'link') {
        this.#names.push(name);
        if (found !== 'nothing') this.#present += 1;
        continue;
      }
      links += 1;
      if (links > linkLimit) throw this.#invalid('too many links on the way');
      const target = this.#linkTarget(name);
      if (target?.startsWith('/')) {
        this.#names.length = 0;
        this.#cut(0);
      }
      ahead.push(...(target === undefined ? [name] : namesOf(target).reverse()));
    }
  }

  /** What a name in the place that was come to is; a folder is entered. */
  #look(name: string): 'link' | 'folder' | 'other' | 'nothing' {
    if (this.#present < this.#names.length || !this.endsInFolder) return 'nothing';
    let found: number;
    try {
      found = openSync(toHostPath(`${this.folder(this.#present)}/${name}`), named);
    } catch {
      return 'nothing';
    }
    const stat = fstatSync(found);
    if (stat.isDirectory()) {
      this.#folders.push(found);
      return 'folder';
    }
    closeSync(found);
    return stat.isSymbolicLink() ? 'link' : 'other';
  }

  /** Nothing, when it is no link any more. */
  #linkTarget(name: string): string | undefined {
    try {
      return decodePath(readlinkSync(toHostPath(`${this.folder(this.#present)}/${name}`), 'buffer'));
    } catch {
      return undefined;
    }
  }

  #made<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      // What was not there is, or has become a link or a file: somebody else is at work here.
      const { code = '' } = error as NodeJS.ErrnoException;
      throw ['EEXIST', 'ENOTDIR', 'ELOOP', 'ENOENT'].includes(code) ? this.#invalid('not a folder') : error;
    }
  }

  #cut(length: number): void {
    this.#present = Math.min(this.#present, length);
    for (const folder of this.#folders.splice(this.#present + 1)) closeSync(folder);
  }

  #invalid(problem: string): LadingError<'PATH_INVALID'> {
    return new LadingError('PATH_INVALID', `${this.#path}: ${problem}`, { details: { path: this.#path, problem } });
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter(name => name !== '' && name !== '.');
}
