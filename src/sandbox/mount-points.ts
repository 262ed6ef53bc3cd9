import { type BigIntStats, closeSync, fchmodSync, openSync, statSync } from 'node:fs';
import { chmod, lstat, rename, rmdir, unlink } from 'node:fs/promises';
import { LadingError } from '../errors/errors.js';
import { removeFiles } from '../layer/remove-files.js';
import { PathInRoot } from './path-in-root.js';
import { setTimes } from './set-times.js';

/** What is put into a root so that something can be shown in its place; it goes again with `remove`. */
export interface MountPoints {
  /**
   * @param mode of the folder itself where it is made: 0755 unless it is given
   * @returns the place inside the root, absolute and without links
   * @throws LadingError PATH_INVALID
   */
  make(target: string, kind: 'directory' | 'file', mode?: number): Promise<string>;
  /** A folder that stays, as `mkdir -p`. @returns the folders that were missing, outermost first, without a leading `/` */
  makeDirectory(target: string): Promise<readonly string[]>;
  /**
   * Puts something in a place for the time of the run, and what is there out of sight.
   * @param aside where what is there can lie meanwhile: a path that is free, on the same disk
   * @param put makes it, at a path on this machine
   */
  cover(target: string, aside: string, put: (path: string) => Promise<void>): Promise<void>;
  /**
   * Takes away what was made and is still empty, and what covers something, and gives the folders around it the times that
   * they had.
   */
  remove(): Promise<void>;
}

interface Made {
  /** Through a descriptor of the folder that it was made in. */
  readonly place: string;
  readonly kind: 'directory' | 'file' | 'cover';
  readonly inode: bigint;
  /** Where that is which was there before. */
  readonly aside?: string | undefined;
  readonly parent: Parent;
}

/** A folder in which something was made. */
interface Parent {
  /** Through a descriptor. */
  readonly place: string;
  /** Its times in nanoseconds before that, and when the last was made. */
  readonly before: Times;
  after: Times;
}

interface Times {
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}

/**
 * What is made, and what is taken away, is so in folders that are held by descriptors from the first look to the end.
 * A root can be a cache in which other processes work meanwhile, and a process can have put a link where a folder was:
 * by its path the same name could be one of this machine's.
 * @param root without links
 */
export function mountPoints(root: string): MountPoints {
  const stack: Made[] = [];
  /** By device and inode. */
  const parents = new Map<string, Parent>();
  const paths: PathInRoot[] = [];
  const find = (target: string): PathInRoot => {
    const path = new PathInRoot(root, target);
    paths.push(path);
    return path;
  };
  const noted = async (
    path: PathInRoot,
    count: number,
    kind: Made['kind'],
    put: (place: string) => Promise<string | undefined>,
  ): Promise<void> => {
    const folder = path.folder(count - 1);
    const before = statSync(folder, { bigint: true });
    const place = path.place(count);
    const aside = await put(place);
    const { ino: inode } = await lstat(place, { bigint: true });
    const after = statSync(folder, { bigint: true });
    const identity = `${before.dev}:${before.ino}`;
    const parent = parents.get(identity) ?? { place: folder, before, after };
    parent.after = after;
    parents.set(identity, parent);
    stack.push({ place, kind, inode, aside, parent });
  };
  /** Makes what is missing of a path up to a count of names. */
  const make = async (
    path: PathInRoot,
    upTo: number,
    last: 'directory' | 'file',
    goes: boolean,
    mode = 0o755,
  ): Promise<void> => {
    while (path.present < upTo) {
      const count = path.present + 1;
      const kind = count === path.names.length ? last : 'directory';
      const put = async (place: string): Promise<undefined> => {
        // Modes are set whatever the umask is.
        if (kind === 'directory') await chmod(path.makeFolder(), count === path.names.length ? mode : 0o755);
        else makeFile(place);
      };
      if (goes) await noted(path, count, kind, put);
      else await put(path.place(count));
      if (kind === 'file') return;
    }
  };
  const fitting = (target: string, kind: 'directory' | 'file'): PathInRoot => {
    const path = find(target);
    const wanted = path.present < path.names.length || kind === 'directory';
    if (path.endsInFolder === wanted) return path;
    throw invalid(target, path.endsInFolder ? 'a folder, where a file is to be shown' : 'not a folder');
  };
  return {
    make: async (target, kind, mode) => {
      const path = fitting(target, kind);
      await make(path, path.names.length, kind, true, mode);
      return `/${path.names.join('/')}`;
    },
    makeDirectory: async target => {
      const path = fitting(target, 'directory');
      const { names, present } = path;
      await make(path, names.length, 'directory', false);
      return names.slice(present).map((_, index) => names.slice(0, present + index + 1).join('/'));
    },
    cover: async (target, aside, put) => {
      const path = find(target);
      const { names } = path;
      if (names.length === 0) throw invalid(target, 'the root itself');
      await make(path, names.length - 1, 'directory', true);
      const covers = path.present === names.length;
      await noted(path, names.length, 'cover', async place => {
        if (covers) await rename(place, aside);
        try {
          await put(place);
        } catch (error) {
          await removeFiles(place);
          if (covers) await rename(aside, place);
          throw error;
        }
        return covers ? aside : undefined;
      });
    },
    remove: async () => {
      try {
        const found = new Map([...parents.values()].map(parent => [parent, statSync(parent.place, { bigint: true })]));
        for (const one of stack.splice(0).reverse()) await takeAway(one, found.get(one.parent)!);
        for (const [{ place, before, after }, now] of found) {
          // What the process itself did in the folder has a time of its own.
          const { atimeNs, mtimeNs } = now.mtimeNs === after.mtimeNs ? before : now;
          await setTimes(place, atimeNs, mtimeNs);
        }
      } finally {
        parents.clear();
        for (const path of paths.splice(0)) path.close();
      }
    },
  };
}

function makeFile(place: string): void {
  const file = openSync(place, 'wx');
  try {
    fchmodSync(file, 0o644);
  } finally {
    closeSync(file);
  }
}

async function takeAway({ place, kind, inode, aside }: Made, parent: BigIntStats): Promise<void> {
  if (parent.nlink === 0n) {
    if (aside !== undefined) throw invalid(place, 'its folder was removed while something was shown in it');
    return;
  }
  if (kind === 'cover') {
    await removeFiles(place);
    if (aside !== undefined) await rename(aside, place);
    return;
  }
  const there = await lstat(place, { bigint: true }).catch(() => undefined);
  if (there?.ino !== inode || (kind === 'file' && there.size > 0n)) return;
  // A folder that is not empty any more is the process's.
  await (kind === 'directory' ? rmdir(place) : unlink(place)).catch(() => {});
}

function invalid(path: string, problem: string): LadingError {
  return new LadingError('PATH_INVALID', `${path}: ${problem}`, { details: { path, problem } });
}
