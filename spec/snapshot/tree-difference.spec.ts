import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.js';
import { treeDifference } from '../../src/snapshot/tree-difference.js';
import { TreeEditor } from '../../src/tree/editor.js';
import type { DirectoryNode, FileNode, TreeNode } from '../../src/tree/node.js';
import { treeOf } from '../support/tree-of.js';

/** A tree whose files have digests, as those of layers do; made anew each time, so that none share a node. */
function tree(files: Record<string, string>, links: Record<string, string> = {}): DirectoryNode {
  const made = treeOf(files);
  const editor = new TreeEditor(made);
  for (const [path, text] of Object.entries(files)) {
    const node = editor.get(path)!;
    if (node.type === 'file') editor.set(path, { ...node, digest: digestOf(text) });
  }
  for (const [path, target] of Object.entries(links)) editor.set(path, editor.get(target) as TreeNode);
  return editor.root;
}

function words(before: DirectoryNode, after: DirectoryNode): string[] {
  return [...treeDifference(before, after)].map(entry => {
    if ('whiteout' in entry) return `- ${entry.path}`;
    return 'hardlink' in entry ? `${entry.path} = ${entry.hardlink}` : entry.path;
  });
}

describe('treeDifference', () => {
  it('is nothing between trees that say the same, whatever they share', () => {
    const files = { 'a/b': 'b', 'a/c': '-> b', d: 'd' };
    expect(words(tree(files, { e: 'd' }), tree(files, { e: 'd' }))).toEqual([]);
  });

  it('has what differs, and the folders above it', () => {
    const before = tree({ 'a/b': 'b', 'a/c': 'c', 'x/y': 'y', l: '-> a', 'k/f': 'f' });
    const after = tree({ 'a/b': 'other', 'a/c': 'c', l: '-> x', k: 'file' });
    expect(words(before, after)).toEqual(['- x', 'a', 'a/b', 'l', 'k']);
    expect(words(after, before)).toEqual(['a', 'a/b', 'x', 'x/y', 'l', 'k', 'k/f']);
  });

  it('writes all names of a file when one of them is new or gone', () => {
    const before = tree({ a: 'a', b: 'b' });
    expect(words(before, tree({ a: 'a', b: 'b' }, { c: 'a' }))).toEqual(['a', 'c = a']);
    expect(words(tree({ a: 'a', b: 'b' }, { c: 'a' }), before)).toEqual(['- c', 'a']);
    expect(words(tree({ a: 'a', b: 'a' }), tree({ a: 'a' }, { b: 'a' }))).toEqual(['a', 'b = a']);
  });

  it('takes no file for the same of which it does not know the content', () => {
    const unknown = (): DirectoryNode => treeOf({ f: 'x' });
    expect(words(unknown(), unknown())).toEqual(['f']);
    const editor = new TreeEditor(tree({ f: 'x' }));
    editor.set('f', { ...(editor.get('f') as FileNode), mode: 0o600 });
    expect(words(tree({ f: 'x' }), editor.root)).toEqual(['f']);
  });

  it('bears trees as deep as a path can be', () => {
    const deep = `${'d/'.repeat(2000)}f`;
    expect(words(tree({ [deep]: '1' }), tree({ [deep]: '2' }))).toHaveLength(2001);
  });
});
