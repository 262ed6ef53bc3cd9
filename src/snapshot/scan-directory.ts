import { type BigIntStats, lstatSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { ioError } from '../errors/io-error.js';
import { folderNames } from '../layer/folder-names.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode, TreeNode } from '../tree/node.js';
import { joinPath, toHostPath } from '../tree/path.js';
import type { FoundChange } from './found-change.js';
import type { StatTable } from './stat-table.js';

/**
 * What is otherwise below a folder than the tree and the table say. Paths of the tree that the table does not have could
 * not be written: that they are missing is no change.
 * @throws LadingError IO
 */
export async function scanDirectory(
  root: string,
  before: DirectoryNode,
  table: StatTable,
  { signal }: CallOptions = {},
): Promise<FoundChange[]> {
  const found: FoundChange[] = [];
  const pending: Array<{ path: string; host: string; was: TreeNode | undefined; same: boolean }> = [
    { path: '', host: root, was: before, same: false },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path, host, was, same } = next;
    await setImmediate();
    signal?.throwIfAborted();
    const children = was?.type === 'directory' ? was.children : undefined;
    // The time of change of a folder is that of its names: what has not changed need not be listed.
    const names = same && children !== undefined ? written(path, children, table) : listed(host);
    for (const name of names) {
      const child = { path: joinPath(path, name), host: `${host}/${name}`, was: children?.get(name) };
      const stats = lstat(child.host);
      const holds = child.was !== undefined && table.holds(child.path, stats);
      if (!holds) found.push({ path: child.path, stats, host: child.host });
      if (stats.isDirectory()) pending.push({ ...child, same: holds });
    }
    if (same || children === undefined) continue;
    const there = new Set(names);
    for (const name of children.keys()) {
      const child = joinPath(path, name);
      if (!there.has(name) && table.has(child)) found.push({ path: child, gone: true });
    }
  }
  return found;
}

function* written(path: string, children: ReadonlyMap<string, TreeNode>, table: StatTable): Generator<string> {
  for (const name of children.keys()) if (table.has(joinPath(path, name))) yield name;
}

function listed(folder: string): string[] {
  try {
    return folderNames(folder);
  } catch (error) {
    throw ioError(error, folder);
  }
}

function lstat(path: string): BigIntStats {
  try {
    return lstatSync(toHostPath(path), { bigint: true });
  } catch (error) {
    throw ioError(error, path);
  }
}
