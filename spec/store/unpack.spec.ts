import * as fs from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { diffTrees } from '../../src/layer/diff.js';
import type { LayerEntry } from '../../src/layer/entry.js';
import { emptyRoot, treeOfLayers } from '../../src/layer/tree-of-layers.js';
import { writeTar } from '../../src/layer/write-tar.js';
import { digestOf } from '../../src/oci/digest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import { openStore, type Store } from '../../src/store/store.js';
import { TreeEditor } from '../../src/tree/editor.js';
import type { DirectoryNode, LayerRef } from '../../src/tree/node.js';
import { fileEntry, folderEntry, noLayers } from '../layer/layer-files.js';
import { codeOf } from '../support/content-suite.js';
import { randomBytes, seededRandom } from '../support/random-image.js';
import { tempDir } from '../support/temp-dir.js';

const random = seededRandom(7);
const contents: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  'a/small': Buffer.from('small'),
  'a/large': Buffer.from(randomBytes(random, 3 * 1024 * 1024 + 17)),
  'a/exact': Buffer.from(randomBytes(random, 2 * 1024 * 1024)),
  'b/zeros': Buffer.alloc(1024 * 1024),
  ...Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`c/${i}`, Buffer.from(`file ${i}`.repeat(i % 50))])),
};

const entries: LayerEntry[] = [
  ...['a', 'b', 'c'].map(path => folderEntry(path)),
  ...Object.entries(contents).map(([path, bytes], i) => fileEntry(path, bytes, { mode: 0o400 | (i % 0o100) })),
  { path: 'a/again', hardlink: 'a/large' },
];

/** The same files as layers of three kinds. */
const kinds: Record<string, (store: Store) => Promise<LayerRef>> = {
  'packed here': async store => (await store.packLayer(entries)).layer,
  'packed here, not compressed': async store => (await store.packLayer(entries, { compression: 'none' })).layer,
  'of somebody else': async store => {
    const tar = Buffer.concat(await writeTar(entries, { read: noLayers }).toArray());
    const bytes = gzipSync(tar);
    return { diffId: digestOf(tar), blob: await store.putBytes(mediaTypes.layerGzip, bytes) };
  },
};

async function written(store: Store, tree: DirectoryNode): Promise<string> {
  const root = join(await tempDir(), 'root');
  await store.unpack(diffTrees(emptyRoot, tree), root, { ownership: 'none' });
  return root;
}

describe.each(Object.keys(kinds))('unpacking a layer %s', kind => {
  it.each([0, 2])('writes every file as it was, with %i threads', async threads => {
    const store = await openStore(join(await tempDir(), 'store'), { threads });
    const layer = await kinds[kind]!(store);
    const root = await written(store, await treeOfLayers([layer], store));
    for (const [i, [path, bytes]] of Object.entries(contents).entries()) {
      const stats = fs.statSync(join(root, path));
      expect([path, fs.readFileSync(join(root, path)).equals(bytes)]).toEqual([path, true]);
      expect([path, stats.mode & 0o7777, stats.mtimeMs]).toEqual([path, 0o400 | (i % 0o100), 946_684_800_000]);
    }
    expect(fs.statSync(join(root, 'a/again')).ino).toBe(fs.statSync(join(root, 'a/large')).ino);
    await store.close();
  });

  it('writes one content under two nodes', async () => {
    const store = await openStore(join(await tempDir(), 'store'), { threads: 2 });
    const layer = await kinds[kind]!(store);
    const editor = new TreeEditor(await treeOfLayers([layer], store));
    for (const name of ['large', 'small'])
      editor.set(`b/${name}`, { ...editor.get(`a/${name}`)!, mode: 0o600 } as never);
    const root = await written(store, editor.root);
    for (const name of ['large', 'small']) {
      expect(fs.readFileSync(join(root, 'b', name)).equals(contents[`a/${name}`]!)).toBe(true);
      expect(fs.statSync(join(root, 'b', name)).mode & 0o777).toBe(0o600);
    }
    await store.close();
  });

  it.each(['a/small', 'a/large'])('writes nothing else than what the tree promises for %s', async path => {
    const store = await openStore(join(await tempDir(), 'store'), { threads: 2 });
    const layer = await kinds[kind]!(store);
    const editor = new TreeEditor(await treeOfLayers([layer], store));
    editor.set(path, { ...editor.get(path)!, digest: digestOf('another') } as never);
    expect(await codeOf(written(store, editor.root))).toBe('DIGEST_MISMATCH');
    await store.close();
  });

  it('replaces what is in the way of a file, whatever it is', async () => {
    const store = await openStore(join(await tempDir(), 'store'), { threads: 2 });
    const layer = await kinds[kind]!(store);
    const root = await tempDir();
    fs.mkdirSync(join(root, 'a/small/full'), { recursive: true });
    fs.symlinkSync('/etc/passwd', join(root, 'a/large'));
    fs.symlinkSync('/nowhere', join(root, 'empty'));
    await store.unpack(diffTrees(emptyRoot, await treeOfLayers([layer], store)), root, { ownership: 'none' });
    for (const path of ['a/small', 'a/large', 'empty']) {
      expect(fs.readFileSync(join(root, path)).equals(contents[path]!)).toBe(true);
    }
    await store.close();
  });

  it('says which folder is none', async () => {
    const store = await openStore(join(await tempDir(), 'store'), { threads: 2 });
    const layer = await kinds[kind]!(store);
    const tree = await treeOfLayers([layer], store);
    const root = await tempDir();
    const outside = await tempDir();
    fs.symlinkSync(outside, join(root, 'c'));
    const files = [...diffTrees(emptyRoot, tree)].filter(entry => entry.path.startsWith('c/'));
    expect(await codeOf(store.unpack(files, root, { ownership: 'none' }))).toBe('PATH_INVALID');
    expect(fs.readdirSync(outside)).toEqual([]);
    await store.close();
  });

  it('stops when it is told to', async () => {
    const store = await openStore(join(await tempDir(), 'store'), { threads: 2 });
    const layer = await kinds[kind]!(store);
    const tree = await treeOfLayers([layer], store);
    const controller = new AbortController();
    const root = join(await tempDir(), 'root');
    const work = store.unpack(diffTrees(emptyRoot, tree), root, { ownership: 'none', signal: controller.signal });
    setTimeout(() => controller.abort(new Error('stop')), 2);
    await expect(work).rejects.toThrow('stop');
    await store.close();
  });
});

describe('unpacking a layer into what is there', () => {
  it('gives files their modes and groups, whatever the umask and the folder', async () => {
    const store = await openStore(join(await tempDir(), 'store'), { threads: 0 });
    const { layer } = await store.packLayer([
      folderEntry('d', 0o2775),
      fileEntry('d/open', 'x', { mode: 0o666 }),
      fileEntry('d/closed', 'x', { mode: 0o600 }),
      fileEntry('d/set', 'x', { mode: 0o6755 }),
    ]);
    const root = await tempDir();
    fs.mkdirSync(join(root, 'd'));
    const isRoot = process.getuid?.() === 0;
    if (isRoot) fs.chownSync(join(root, 'd'), 0, 1234);
    fs.chmodSync(join(root, 'd'), 0o2775);
    const umask = process.umask(0o027);
    try {
      const tree = await treeOfLayers([layer], store);
      await store.unpack(diffTrees(emptyRoot, tree), root, { ownership: isRoot ? 'keep' : 'none' });
    } finally {
      process.umask(umask);
    }
    const modes = ['open', 'closed', 'set'].map(name => {
      const { mode, gid } = fs.statSync(join(root, 'd', name));
      return [(mode & 0o7777).toString(8), isRoot ? gid : 0];
    });
    expect(modes).toEqual([
      ['666', 0],
      ['600', 0],
      ['6755', 0],
    ]);
    await store.close();
  });
});
