import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffTrees } from '../../src/layer/diff.js';
import { indexEntry } from '../../src/layer/index-entry.js';
import type { Digest } from '../../src/oci/digest.js';
import { decodeLayerIndex, encodeLayerIndex } from '../../src/store/layer-index-codec.js';
import { applyLayer } from '../../src/tree/apply-layer.js';
import { emptyDirectory, TreeEditor } from '../../src/tree/editor.js';
import { folderEnds, rowsOf } from '../../src/tree/entry-rows.js';
import type { IndexEntry } from '../../src/tree/layer-index.js';
import type { DirectoryNode, LayerRef } from '../../src/tree/node.js';

const digest = `sha256:${'0'.repeat(64)}` as Digest;
const layer: LayerRef = { diffId: digest, blob: { mediaType: 'x', digest, size: 1 } };
const meta = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
const entryOf = (path: string, type: IndexEntry['type'] = 'directory'): IndexEntry =>
  (type === 'symlink' ? { type, path, ...meta, target: 'a' } : { type, path, ...meta }) as IndexEntry;
const ends = (...entries: IndexEntry[]): number[] | undefined => {
  const found = folderEnds(rowsOf(entries));
  return found && [...found];
};

describe('the ends of folders', () => {
  it('are known of rows that are walked folder by folder', () => {
    const rows = ['a', 'a/b', 'a/b/c', 'a/d', 'a.b', 'e'].map(path => entryOf(path));
    expect(ends(...rows)).toEqual([4, 3, 3, 4, 5, 6]);
    expect(ends()).toEqual([]);
  });

  it('are not known of rows in another order, of parents that are missing, and of what is removed or linked', () => {
    expect(ends(entryOf('a'), entryOf('b'), entryOf('a/c'))).toBeUndefined();
    expect(ends(entryOf('a/b'))).toBeUndefined();
    expect(ends(entryOf('a'), entryOf('a'))).toBeUndefined();
    expect(ends(entryOf('a', 'symlink'), entryOf('a/b'))).toBeUndefined();
    expect(ends(entryOf(''))).toBeUndefined();
    for (const type of ['whiteout', 'opaque', 'hardlink'] as const) expect(ends(entryOf('a', type))).toBeUndefined();
  });
});

const names = fc.constantFrom('a', 'b', 'a.b', 'c', 'é', '😀');
const places = fc.array(fc.array(names, { minLength: 1, maxLength: 4 }), { maxLength: 12 });
const kinds = fc.constantFrom('directory', 'symlink', 'fifo');

function treeOf(paths: readonly (readonly string[])[], types: readonly string[]): DirectoryNode {
  const editor = new TreeEditor(emptyDirectory());
  paths.forEach((path, i) => {
    const type = types[i % types.length];
    editor.makeDirectories(path.slice(0, -1).join('/'));
    const node = type === 'directory' ? emptyDirectory({ mtime: i }) : { type, ...meta, mtime: i, target: 'a' };
    if (type !== 'directory' || editor.get(path.join('/'))?.type !== 'directory') {
      editor.set(path.join('/'), node as DirectoryNode);
    }
  });
  return editor.root;
}

describe('a layer of additions', () => {
  it('makes the same tree whether it is applied folder by folder or entry by entry', () => {
    fc.assert(
      fc.property(places, places, fc.array(kinds, { minLength: 1 }), (below, above, types) => {
        const root = treeOf(below, types);
        const entries = [...diffTrees(emptyDirectory(), treeOf(above, types))].map(entry =>
          indexEntry(entry, 0, digest),
        );
        const pieces: Uint8Array[] = [];
        encodeLayerIndex({ diffId: digest, size: 0, entries }, bytes => pieces.push(bytes));
        const index = decodeLayerIndex(Buffer.concat(pieces));
        expect(index.rows).toBeDefined();
        // What is made of nothing at the end keeps the rows from being taken folder by folder.
        const slow = { diffId: digest, size: 0, entries: [...entries, { type: 'whiteout', path: 'none' } as const] };
        expect(shown(applyLayer(root, index, layer))).toEqual(shown(applyLayer(root, slow, layer)));
        expect(index.entries).toEqual(entries);
      }),
    );
  });
});

function shown({ children, ...node }: DirectoryNode): unknown {
  const { mode, uid, gid, mtime } = node;
  const inside = [...children].map(
    ([name, child]) => [name, child.type === 'directory' ? shown(child) : child] as const,
  );
  return { mode, uid, gid, mtime, inside: new Map(inside) };
}
