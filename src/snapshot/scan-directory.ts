import { setImmediate } from 'node:timers/promises';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode, TreeNode } from '../tree/node.js';
import { joinPath } from '../tree/path.js';
import type { FoundChange } from './found-change.js';
import type { StatTable } from './stat-table.js';
import type { WalkedFolders } from './walked-folders.js';

/**
 * What is otherwise below a folder than the tree and the table say. Paths of the tree that the table does not have could
 * not be written: that they are missing is no change.
 * @throws LadingError IO
 */
export async function scanDirectory(
  root: string,
  before: DirectoryNode,
  table: StatTable,
  folders: WalkedFolders,
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
    const names = same && children !== undefined ? written(path, children, table) : folders.names(host);
    for (const name of names) {
      const child = { path: joinPath(path, name), host: `${host}/${name}`, was: children?.get(name) };
      const file = folders.look(child.path, child.host);
      const holds = child.was !== undefined && table.holds(child.path, file.stats);
      if (!holds) found.push(file);
      if (file.stats.isDirectory()) pending.push({ ...child, host: folders.enter(child.host), same: holds });
    }
    if (same || children === undefined) continue;
    const there = new Set(names);
    for (const name of children.keys()) {
      const child = joinPath(path, name);
      if (!there.has(name) && table.has(child)) found.push({ path: child, gone: true });
    }
  }
  return folders.settled(found);
}

function* written(path: string, children: ReadonlyMap<string, TreeNode>, table: StatTable): Generator<string> {
  for (const name of children.keys()) if (table.has(joinPath(path, name))) yield name;
}
