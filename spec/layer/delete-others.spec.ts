import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deleteOthers } from '../../src/layer/delete-others.js';
import { emptyDirectory } from '../../src/tree/editor.js';
import type { DirectoryNode, FileNode, TreeNode } from '../../src/tree/node.js';
import { openFiles, tempDir } from './layer-files.js';

const file: FileNode = {
  ...{ type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, size: 0 },
  content: { kind: 'bytes', bytes: new Uint8Array() },
};

function folder(children: Readonly<Record<string, TreeNode>>): DirectoryNode {
  return { ...emptyDirectory(), children: new Map(Object.entries(children)) };
}

describe('deleteOthers', () => {
  it('leaves what is in the tree, and nothing else', async () => {
    const root = tempDir();
    for (const path of ['kept', 'kept/deep', 'other', 'other/deep']) mkdirSync(join(root, path));
    for (const path of ['a', 'b', 'kept/a', 'kept/b', 'kept/deep/a', 'other/deep/a'])
      writeFileSync(join(root, path), '');
    const before = openFiles();
    await deleteOthers(root, folder({ a: file, kept: folder({ a: file, deep: folder({}) }), new: folder({}) }));
    expect(readdirSync(root, { recursive: true }).sort()).toEqual(['a', 'kept', 'kept/a', 'kept/deep']);
    expect(openFiles()).toEqual(before);
  });

  it('deletes links, and never goes through one', async () => {
    const root = join(tempDir(), 'root');
    const outside = tempDir();
    mkdirSync(root);
    writeFileSync(join(outside, 'precious'), '');
    symlinkSync(outside, join(root, 'gone'));
    symlinkSync(outside, join(root, 'folder'));
    await deleteOthers(root, folder({ folder: folder({ a: file }) }));
    expect(lstatSync(join(root, 'gone'), { throwIfNoEntry: false })).toBeUndefined();
    // Whoever writes the folder deals with the link in its place.
    expect(lstatSync(join(root, 'folder')).isSymbolicLink()).toBe(true);
    expect(readdirSync(outside)).toEqual(['precious']);
  });

  it('deletes names that are not UTF-8', async () => {
    const root = tempDir();
    writeFileSync(Buffer.concat([Buffer.from(`${root}/odd-`), Buffer.from([0xff])]), '');
    writeFileSync(Buffer.concat([Buffer.from(`${root}/kept-`), Buffer.from([0xff])]), '');
    await deleteOthers(root, folder({ 'kept-\udcff': file }));
    expect(readdirSync(root, { encoding: 'buffer' })).toEqual([
      Buffer.concat([Buffer.from('kept-'), Buffer.from([0xff])]),
    ]);
  });

  it('has nothing to do where there is nothing, and stops when told', async () => {
    const root = join(tempDir(), 'none');
    await deleteOthers(root, folder({}));
    expect(existsSync(root)).toBe(false);
    mkdirSync(root);
    writeFileSync(join(root, 'a'), '');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(deleteOthers(root, folder({}), { signal })).rejects.toThrow('enough');
    expect(readdirSync(root)).toEqual(['a']);
  });
});
