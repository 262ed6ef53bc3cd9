import { diffTrees } from '../../src/layer/diff.js';
import { emptyDirectory, TreeEditor } from '../../src/tree/editor.js';
import type { DirectoryNode, TreeNode } from '../../src/tree/node.js';

/** `'a/b': 'text'` is a file, `'a/l': '-> target'` a link; folders appear as they are needed. */
export function treeOf(files: Record<string, string>): DirectoryNode {
  const editor = new TreeEditor(emptyDirectory());
  const metadata = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };
  for (const [path, text] of Object.entries(files)) {
    const parts = path.split('/');
    for (let i = 1; i < parts.length; i++) {
      const parent = parts.slice(0, i).join('/');
      if (editor.get(parent) === undefined) editor.set(parent, emptyDirectory());
    }
    const link = /^-> (.*)$/.exec(text);
    const bytes = Buffer.from(text);
    if (link) editor.set(path, { type: 'symlink', ...metadata, mode: 0o777, target: link[1]! });
    else editor.set(path, { type: 'file', ...metadata, size: bytes.length, content: { kind: 'bytes', bytes } });
  }
  return editor.root;
}

/** A tree as lines, a line an entry: for comparing at a glance. */
export function listing(root: DirectoryNode): string[] {
  return [...diffTrees(emptyDirectory(), root)].map(entry => {
    if ('hardlink' in entry) return `${entry.path} = ${entry.hardlink}`;
    if ('whiteout' in entry) return `${entry.path} gone`;
    const node = entry.node as TreeNode;
    const detail = node.type === 'symlink' ? ` -> ${node.target}` : node.type === 'file' ? ` ${node.size}` : '';
    return `${entry.path} ${node.type} ${node.mode.toString(8)} ${node.uid}:${node.gid}${detail}`;
  });
}
