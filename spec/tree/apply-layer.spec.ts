import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { digestOf } from '../../src/oci/digest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import { applyLayer } from '../../src/tree/apply-layer.js';
import { emptyDirectory } from '../../src/tree/editor.js';
import type { IndexEntry, LayerIndex } from '../../src/tree/layer-index.js';
import type { DirectoryNode, LayerRef } from '../../src/tree/node.js';
import { listing } from '../support/tree-of.js';

const digest = digestOf('x');
const layer: LayerRef = { diffId: digest, blob: { mediaType: mediaTypes.layerGzip, digest, size: 1 } };
const own = { uid: 1, gid: 2, mtime: 3 };

const dir = (path: string, mode = 0o755): IndexEntry => ({ type: 'directory', path, mode, ...own });
const file = (path: string, size = 1): IndexEntry => ({
  type: 'file',
  path,
  mode: 0o644,
  ...own,
  size,
  digest,
  offset: 512,
});
const link = (path: string, target: string): IndexEntry => ({ type: 'symlink', path, mode: 0o777, ...own, target });
const gone = (path: string): IndexEntry => ({ type: 'whiteout', path });
const opaque = (path: string): IndexEntry => ({ type: 'opaque', path });

function apply(...layers: IndexEntry[][]): DirectoryNode {
  const index = (entries: IndexEntry[]): LayerIndex => ({ diffId: digest, size: 0, entries });
  return layers.reduce<DirectoryNode>((root, entries) => applyLayer(root, index(entries), layer), emptyDirectory());
}

describe('applyLayer', () => {
  it('merges folders and replaces everything else', () => {
    const root = apply([dir('a'), file('a/x'), file('a/y')], [dir('a', 0o700), file('a/x', 9), file('b')]);
    expect(listing(root)).toEqual([
      'a directory 700 1:2',
      'a/x file 644 1:2 9',
      'a/y file 644 1:2 1',
      'b file 644 1:2 1',
    ]);
  });

  it('removes what a whiteout names, folders with all below', () => {
    expect(listing(apply([dir('a'), file('a/x'), file('b')], [gone('a'), gone('b'), gone('never')]))).toEqual([]);
  });

  it('lets an opaque marker hide lower layers only, wherever in the layer it stands', () => {
    const below = [dir('a'), file('a/old'), dir('a/sub'), file('a/sub/old')];
    const expected = [
      'a directory 755 1:2',
      'a/new file 644 1:2 1',
      'a/sub directory 755 1:2',
      'a/sub/new file 644 1:2 1',
    ];
    const marker: IndexEntry = { type: 'opaque', path: 'a' };
    const fresh = [dir('a'), file('a/new'), dir('a/sub'), file('a/sub/new')];
    expect(listing(apply(below, [marker, ...fresh]))).toEqual(expected);
    expect(listing(apply(below, [...fresh, marker]))).toEqual(expected);
  });

  it('makes folders that no entry names', () => {
    expect(listing(apply([file('a/b/c')]))).toEqual([
      'a directory 755 0:0',
      'a/b directory 755 0:0',
      'a/b/c file 644 1:2 1',
    ]);
  });

  it('writes through links of lower layers, inside the root', () => {
    const root = apply(
      [dir('usr'), dir('usr/lib'), link('lib', '/usr/lib'), link('out', '../../..')],
      [file('lib/x'), file('out/y')],
    );
    expect(listing(root)).toContain('usr/lib/x file 644 1:2 1');
    expect(listing(root)).toContain('y file 644 1:2 1');
  });

  it('replaces a link by a folder and a folder by a file', () => {
    const root = apply(
      [dir('t'), file('t/z'), link('l', 't'), dir('d'), file('d/x')],
      [dir('l'), file('l/in'), file('d')],
    );
    expect(listing(root)).toEqual([
      'd file 644 1:2 1',
      'l directory 755 1:2',
      'l/in file 644 1:2 1',
      't directory 755 1:2',
      't/z file 644 1:2 1',
    ]);
  });

  it('makes hard links the same node, across layers too', () => {
    const root = apply([file('a')], [{ type: 'hardlink', path: 'b', target: 'a' }]);
    expect(root.children.get('a')).toBe(root.children.get('b'));
  });

  it('refuses a hard link to nothing or to a folder', () => {
    for (const target of ['missing', 'd']) {
      expect(() => apply([dir('d'), { type: 'hardlink', path: 'b', target }])).toThrow(
        expect.toSatisfy(error => isLadingError(error, 'INVALID_ARCHIVE')),
      );
    }
  });

  it('leaves the tree it began with as it was', () => {
    const before = apply([dir('a'), file('a/x')]);
    const was = listing(before);
    applyLayer(before, { diffId: digest, size: 0, entries: [file('a/y'), gone('a/x')] }, layer);
    expect(listing(before)).toEqual(was);
  });

  it('refuses links that lead deeper and deeper', () => {
    const step = 'd/'.repeat(1000);
    // Each link is put where the last one leads, so each path through all of them is a thousand folders longer.
    const chain = Array.from({ length: 100 }, (_, i) => link(`${'l/'.repeat(i)}l`, step));
    expect(() => apply(chain)).toThrow(expect.objectContaining({ code: 'PATH_INVALID' }));
  });

  it('is not slowed down by many opaque markers', () => {
    const lower = Array.from({ length: 20_000 }, (_, i) => file(`a/${i}`));
    const markers = Array.from({ length: 20_000 }, () => opaque('a'));
    expect(listing(apply(lower, [...lower.slice(1), ...markers]))).toHaveLength(20_000);
  }, 5_000);
});
