import { execFile } from 'node:child_process';
import type { BigIntStats } from 'node:fs';
import { chmod, lstat, mkdir, open, realpath, rename, rmdir, unlink, utimes } from 'node:fs/promises';
import { promisify } from 'node:util';
import { LadingError } from '../errors/errors.js';
import { findInRoot, hostPath } from './path-in-root.js';
import { removeTree } from './remove-tree.js';

/** What is put into a root so that something can be shown in its place; it goes again with `remove`. */
export interface MountPoints {
  /** @returns the place inside the root, absolute and without links. @throws LadingError PATH_INVALID */
  make(target: string, kind: 'directory' | 'file'): Promise<string>;
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
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'cover';
  readonly inode: bigint;
  /** Where that is which was there before. */
  readonly aside?: string | undefined;
  /** The folder that it was made in. */
  readonly parent: string;
}

/** A folder in which something was made. */
interface Parent {
  readonly inode: bigint;
  /** Its times in nanoseconds before that, and when the last was made. */
  readonly before: Times;
  after: Times;
}

interface Times {
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}

const second = 1_000_000_000n;

/** Nothing may run in the root while points are made or removed. @param root without links */
export function mountPoints(root: string): MountPoints {
  const stack: Made[] = [];
  const parents = new Map<string, Parent>();
  const place = async (path: string, kind: Made['kind'], put: () => Promise<string | undefined>): Promise<Made> => {
    const parent = path.slice(0, path.lastIndexOf('/'));
    const before = await lstat(parent, { bigint: true });
    const aside = await put();
    const { ino: inode } = await lstat(path, { bigint: true });
    const after = await lstat(parent, { bigint: true });
    const known = parents.get(parent);
    if (known === undefined) parents.set(parent, { inode: before.ino, before, after });
    else known.after = after;
    return { path, kind, inode, aside, parent };
  };
  const make = async (names: readonly string[], present: number, last: 'directory' | 'file', goes: boolean) => {
    for (let length = present + 1; length <= names.length; length += 1) {
      const path = hostPath(root, names.slice(0, length));
      const kind = length === names.length ? last : 'directory';
      const put = async (): Promise<undefined> => {
        if (kind === 'directory') await mkdir(path);
        else await (await open(path, 'wx')).close();
        // Whatever the umask is.
        await chmod(path, kind === 'directory' ? 0o755 : 0o644);
      };
      if (goes) stack.push(await place(path, kind, put));
      else await put();
    }
  };
  const find = async (target: string, kind: 'directory' | 'file') => {
    const found = await findInRoot(root, target);
    const isDirectory = (await lstat(hostPath(root, found.names.slice(0, found.present)))).isDirectory();
    const wanted = found.present < found.names.length || kind === 'directory';
    if (isDirectory === wanted) return found;
    throw invalid(target, isDirectory ? 'a folder, where a file is to be shown' : 'not a folder');
  };
  return {
    make: async (target, kind) => {
      const { names, present } = await find(target, kind);
      await make(names, present, kind, true);
      return `/${names.join('/')}`;
    },
    makeDirectory: async target => {
      const { names, present } = await find(target, 'directory');
      await make(names, present, 'directory', false);
      return names.slice(present).map((_, index) => names.slice(0, present + index + 1).join('/'));
    },
    cover: async (target, aside, put) => {
      const { names, present } = await findInRoot(root, target);
      if (names.length === 0) throw invalid(target, 'the root itself');
      const folder = names.slice(0, -1);
      await make(folder, Math.min(present, folder.length), 'directory', true);
      const path = hostPath(root, names);
      const covers = present === names.length;
      const made = await place(path, 'cover', async () => {
        if (covers) await rename(path, aside);
        try {
          await put(path);
        } catch (error) {
          await removeTree(path);
          if (covers) await rename(aside, path);
          throw error;
        }
        return covers ? aside : undefined;
      });
      stack.push(made);
    },
    remove: async () => {
      const made = stack.splice(0).reverse();
      const found = new Map<string, Times>();
      for (const [path, { inode }] of parents) {
        const there = await folderAt(path);
        if (there?.ino === inode) found.set(path, there);
      }
      for (const one of made) await takeAway(one, found.has(one.parent));
      for (const [path, now] of found) {
        if ((await folderAt(path)) === undefined) continue;
        // What the process itself did in the folder has a time of its own.
        const { before, after } = parents.get(path)!;
        const { atimeNs, mtimeNs } = now.mtimeNs === after.mtimeNs ? before : now;
        await setTimes(path, atimeNs, mtimeNs);
      }
      parents.clear();
    },
  };
}

/** A folder at its path, unless the process has put a link on the way to it. */
async function folderAt(path: string): Promise<BigIntStats | undefined> {
  const stats = await lstat(path, { bigint: true }).catch(() => undefined);
  return stats?.isDirectory() && (await realpath(path)) === path ? stats : undefined;
}

async function takeAway({ path, kind, inode, aside }: Made, inPlace: boolean): Promise<void> {
  if (!inPlace) {
    if (aside !== undefined) throw invalid(path, 'its folder was moved while something was shown in it');
    return;
  }
  if (kind === 'cover') {
    await removeTree(path);
    if (aside !== undefined) await rename(aside, path);
    return;
  }
  const there = await lstat(path, { bigint: true }).catch(() => undefined);
  if (there?.ino !== inode || (kind === 'file' && there.size > 0n)) return;
  // A folder that is not empty any more is the process's.
  await (kind === 'directory' ? rmdir(path) : unlink(path)).catch(() => {});
}

/** Node sets times as floating numbers, which are exact for whole seconds alone. */
async function setTimes(path: string, atimeNs: bigint, mtimeNs: bigint): Promise<void> {
  await utimes(path, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
  if (mtimeNs % second === 0n) return;
  const time = `@${mtimeNs / second}.${String(mtimeNs % second).padStart(9, '0')}`;
  await promisify(execFile)('touch', ['-m', '-d', time, '--', path], { env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } });
}

function invalid(path: string, problem: string): LadingError {
  return new LadingError('PATH_INVALID', `${path}: ${problem}`, { details: { path, problem } });
}
