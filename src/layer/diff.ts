import type { DirectoryNode, FileNode, Metadata, TreeNode } from '../tree/node.js';
import { compareNames, joinPath } from '../tree/path.js';
import type { LayerEntry } from './entry.js';

/**
 * The entries of a layer that turns one tree into another, in the order of BuildKit's differ: names of a folder by
 * their bytes, a folder before its content, a whiteout where the removed name was. A folder stands in the layer when its
 * metadata changed or something below it did. Shared nodes are unchanged, so the cost follows the change, not the tree.
 */
export function diffTrees(before: DirectoryNode, after: DirectoryNode): LayerEntry[] {
  const entries: LayerEntry[] = [];
  diffDirectory('', before, after, entries, new Map());
  return entries;
}

type FirstNames = Map<FileNode, string>;

function diffDirectory(
  path: string,
  before: DirectoryNode | undefined,
  after: DirectoryNode,
  entries: LayerEntry[],
  written: FirstNames,
): void {
  if (before?.children === after.children) return;
  const removed = [...(before?.children.keys() ?? [])].filter(name => !after.children.has(name));
  const names = [...after.children.keys(), ...removed].sort(compareNames);
  for (const name of names) {
    const old = before?.children.get(name);
    const now = after.children.get(name);
    if (old === now) continue;
    const child = joinPath(path, name);
    if (now === undefined) entries.push({ path: child, whiteout: true });
    else if (now.type === 'directory') addDirectory(child, old, now, entries, written);
    else addLeaf(child, now, entries, written);
  }
}

function addDirectory(
  path: string,
  old: TreeNode | undefined,
  now: DirectoryNode,
  entries: LayerEntry[],
  written: FirstNames,
): void {
  const before = old?.type === 'directory' ? old : undefined;
  const place = entries.length;
  entries.push({ path, node: now });
  diffDirectory(path, before, now, entries, written);
  if (entries.length === place + 1 && before !== undefined && sameMetadata(before, now)) entries.pop();
}

function addLeaf(
  path: string,
  node: Exclude<TreeNode, DirectoryNode>,
  entries: LayerEntry[],
  written: FirstNames,
): void {
  if (node.type === 'file') {
    const first = written.get(node);
    if (first !== undefined) {
      entries.push({ path, hardlink: first });
      return;
    }
    written.set(node, path);
  }
  entries.push({ path, node });
}

function sameMetadata(a: Metadata, b: Metadata): boolean {
  return (
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.mtime === b.mtime &&
    JSON.stringify(a.xattrs ?? {}) === JSON.stringify(b.xattrs ?? {})
  );
}
