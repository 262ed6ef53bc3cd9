import { lstat, readlink } from 'node:fs/promises';
import { LadingError } from '../errors/errors.js';

/** Where a path inside a root leads, without ever leaving the root. */
export interface PlaceInRoot {
  /** Names from the root down, with no link among those that are there. */
  readonly names: readonly string[];
  /** How many of them are there. */
  readonly present: number;
}

const linkLimit = 40;

/**
 * Follows links as a process whose `/` is `root` would. Nothing may change the root meanwhile.
 * @throws LadingError PATH_INVALID for link loops
 */
export async function findInRoot(root: string, path: string): Promise<PlaceInRoot> {
  const ahead = namesOf(path).reverse();
  const names: string[] = [];
  let present = 0;
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === '..') {
      names.pop();
      present = Math.min(present, names.length);
      continue;
    }
    const at = hostPath(root, [...names, name]);
    const stat = present < names.length ? undefined : await lstat(at).catch(() => undefined);
    if (stat?.isSymbolicLink()) {
      links += 1;
      if (links > linkLimit) {
        const problem = 'too many links on the way';
        throw new LadingError('PATH_INVALID', `${path}: ${problem}`, { details: { path, problem } });
      }
      const target = await readlink(at);
      if (target.startsWith('/')) {
        names.length = 0;
        present = 0;
      }
      ahead.push(...namesOf(target).reverse());
      continue;
    }
    names.push(name);
    if (stat !== undefined) present = names.length;
  }
  return { names, present };
}

export function hostPath(root: string, names: readonly string[]): string {
  return names.length === 0 ? root : `${root === '/' ? '' : root}/${names.join('/')}`;
}

function namesOf(path: string): string[] {
  return path.split('/').filter(name => name !== '' && name !== '.');
}
