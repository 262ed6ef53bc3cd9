import { TreeEditor } from '../tree/editor.js';
import { lookup, realPath } from '../tree/lookup.js';
import type { DirectoryNode, TreeNode } from '../tree/node.js';
import { parentOf } from '../tree/path.js';
import type { Container } from './container.js';

const always = ['/dev', '/etc/resolv.conf', '/etc/hosts', '/etc/hostname'];

/**
 * A tree without the places that were made for mounts, and without what was put in the place of files in a changed root,
 * when nobody could take them away. What is in such a place is none of the process's, which has seen something else there:
 * it is as it was before. Folders that were made for them go with them, if they are empty, and one that has nothing else
 * new gets its time back.
 */
export function withoutMountPoints(
  before: DirectoryNode,
  after: DirectoryNode,
  { process }: Pick<Container, 'process'>,
): DirectoryNode {
  const editor = new TreeEditor(after);
  const mounts = [...process.volumes, ...process.tmpfs].map(({ target }) => target);
  for (const target of [...mounts, ...always]) {
    let path = realPath(before, target);
    const there = editor.get(path);
    if (target === '/dev' && there?.type === 'directory' && lookup(before, path, { follow: false }) === undefined) {
      // This one is made for every process, and stays.
      editor.set(path, { ...there, children: new Map() });
      continue;
    }
    if (putBack(editor, path, lookup(before, path, { follow: false })?.node)) path = parentOf(path);
    while (path !== '' && lookup(before, path, { follow: false }) === undefined && isEmpty(editor.get(path))) {
      editor.remove(path);
      path = parentOf(path);
    }
    const old = path === '' ? before : lookup(before, path, { follow: false })?.node;
    const now = path === '' ? editor.root : editor.get(path);
    if (old?.type !== 'directory' || now?.type !== 'directory' || !sameNames(old, now)) continue;
    if (path !== '') editor.set(path, { ...now, mtime: old.mtime });
  }
  return editor.root;
}

/** Makes a place what it was. @returns whether it was not */
function putBack(editor: TreeEditor, path: string, old: TreeNode | undefined): boolean {
  const now = editor.get(path);
  if (path === '' || now === old) return false;
  if (old !== undefined) {
    const around = parentOf(path);
    if (around === '' || editor.get(around)?.type === 'directory') editor.set(path, old);
  } else editor.remove(path);
  return true;
}

function isEmpty(node: TreeNode | undefined): boolean {
  if (node?.type === 'directory') return node.children.size === 0;
  return node?.type === 'file' && node.size === 0;
}

function sameNames(a: DirectoryNode, b: DirectoryNode): boolean {
  return a.children.size === b.children.size && [...a.children.keys()].every(name => b.children.has(name));
}
