import type { LayerEntry } from '../layer/entry.js';
import type { DirectoryNode, FileNode, Metadata, TreeNode } from '../tree/node.js';
import { joinPath } from '../tree/path.js';

/**
 * What has to be written to change a folder that holds one tree into another, by value: trees that were put together apart
 * share no nodes. Names of one file are written together, as links.
 */
export function* treeDifference(before: DirectoryNode, after: DirectoryNode): Generator<LayerEntry> {
  if (before === after) return;
  const oldNames = fileNames(before);
  const newNames = fileNames(after);
  const written = new Map<FileNode, string>();
  const sameFile = (path: string, old: FileNode, now: FileNode): boolean =>
    (old === now || sameContent(old, now)) && oldNames.get(path) === newNames.get(path);
  yield* difference('', before, after);

  function* difference(path: string, old: DirectoryNode | undefined, now: DirectoryNode): Generator<LayerEntry> {
    if (old?.children === now.children && oldNames.size + newNames.size === 0) return;
    for (const name of old?.children.keys() ?? []) {
      if (!now.children.has(name)) yield { path: joinPath(path, name), whiteout: true };
    }
    for (const [name, node] of now.children) {
      const child = joinPath(path, name);
      const was = old?.children.get(name);
      if (node.type === 'directory') {
        const wasFolder = was?.type === 'directory' ? was : undefined;
        const below = difference(child, wasFolder, node);
        const first = below.next();
        if (first.done && wasFolder !== undefined && sameMetadata(wasFolder, node)) continue;
        yield { path: child, node };
        if (first.done) continue;
        yield first.value;
        yield* below;
      } else if (node.type === 'file') {
        if (was?.type === 'file' && sameFile(child, was, node)) continue;
        const hardlink = written.get(node);
        if (hardlink !== undefined) yield { path: child, hardlink };
        else {
          if (newNames.has(child)) written.set(node, child);
          yield { path: child, node };
        }
      } else if (was === undefined || (was !== node && !sameSpecial(was, node))) {
        yield { path: child, node };
      }
    }
  }
}

/** For each name of a file with several: all of them, as one text. */
function fileNames(root: DirectoryNode): ReadonlyMap<string, string> {
  const paths = new Map<FileNode, string | string[]>();
  const pending: Array<readonly [string, DirectoryNode]> = [['', root]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [folder, { children }] = next;
    for (const [name, node] of children) {
      if (node.type === 'directory') pending.push([joinPath(folder, name), node]);
      if (node.type !== 'file' || node.single) continue;
      const known = paths.get(node);
      const path = joinPath(folder, name);
      if (known === undefined) paths.set(node, path);
      else if (typeof known === 'string') paths.set(node, [known, path]);
      else known.push(path);
    }
  }
  const names = new Map<string, string>();
  for (const group of paths.values()) {
    if (typeof group === 'string') continue;
    const all = group.sort().join('\0');
    for (const path of group) names.set(path, all);
  }
  return names;
}

function sameContent(a: FileNode, b: FileNode): boolean {
  return a.size === b.size && a.digest !== undefined && a.digest === b.digest && sameMetadata(a, b);
}

function sameSpecial(a: TreeNode, b: TreeNode): boolean {
  if (a.type !== b.type || !sameMetadata(a, b)) return false;
  if (a.type === 'symlink') return a.target === (b as typeof a).target;
  if (a.type === 'character' || a.type === 'block') {
    return a.major === (b as typeof a).major && a.minor === (b as typeof a).minor;
  }
  return true;
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
