import type { FileOwner } from '../sandbox/sandbox.js';
import type { TreeEditor } from '../tree/editor.js';
import { parentOf } from '../tree/path.js';
import { type FoundChange, isPresent } from './found-change.js';
import type { RanProcess } from './roots.js';

/**
 * Whom the files that were found belong to. Where all belong to one uid on the disk: to whom the process gave them; else to
 * whom they did before; else to whom the process ran as, and in a folder with setgid to its group.
 */
export function foundOwners(
  old: TreeEditor,
  found: readonly FoundChange[],
  { owners, ran }: { readonly owners: 'kept' | 'recorded'; readonly ran: RanProcess },
): (path: string) => FileOwner {
  const known = new Map<string, FileOwner>();
  const setgid = new Map<string, number | undefined>();
  /** By inode: all names of a file have the owner that was given to one of them. */
  const given = new Map<bigint, FileOwner>();
  const present = found.filter(isPresent);
  for (const { path, stats } of present) {
    const owner = ran.owners?.get(path);
    if (owner !== undefined && stats.nlink > 1n && !stats.isDirectory()) given.set(stats.ino, owner);
  }
  for (const { path, stats, mode = Number(stats.mode) } of present) {
    const owner = owners === 'kept' ? { uid: Number(stats.uid), gid: Number(stats.gid) } : recorded(path, stats.ino);
    known.set(path, owner);
    if (stats.isDirectory()) setgid.set(path, (mode & 0o2000) === 0 ? undefined : owner.gid);
  }
  return path => known.get(path)!;

  function recorded(path: string, inode: bigint): FileOwner {
    const owner = ran.owners?.get(path) ?? given.get(inode) ?? old.get(path);
    if (owner !== undefined) return { uid: owner.uid, gid: owner.gid };
    const parent = parentOf(path);
    const was = old.get(parent);
    const group = setgid.has(parent)
      ? setgid.get(parent)
      : was !== undefined && was.mode & 0o2000
        ? was.gid
        : undefined;
    return { uid: ran.user.uid, gid: group ?? ran.user.gid };
  }
}
