import { existsSync } from 'node:fs';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openImage } from '../../src/image/image.js';
import type { LayerEntry } from '../../src/layer/entry.js';
import type { KnownDigests } from '../../src/layer/plan-layer.js';
import { digestHex, digestOf } from '../../src/oci/digest.js';
import { setDigest } from '../../src/oci/digest-bytes.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import { openStore, type Store } from '../../src/store/store.js';
import type { LayerRef } from '../../src/tree/node.js';
import { openFiles } from '../layer/layer-files.js';
import { chunksOf, codeOf, describeBytes, readAll } from '../support/content-suite.js';
import { copied } from '../support/copied.js';
import { MemoryContent } from '../support/memory-content.js';
import { randomBytes, randomImage, randomTar, seededRandom } from '../support/random-image.js';
import { tempDir } from '../support/temp-dir.js';

async function newStore(now?: () => Date): Promise<{ store: Store; root: string }> {
  const root = join(await tempDir(), 'store');
  return { store: await openStore(root, { now }), root };
}

const file = (path: string, bytes: Uint8Array): LayerEntry => ({
  path,
  node: { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, size: bytes.length, content: { kind: 'bytes', bytes } },
});

describe('openStore', () => {
  it('writes nothing before something is written', async () => {
    const { store, root } = await newStore();
    expect(await store.images()).toEqual([]);
    expect(await store.has(describeBytes('x'))).toBe(false);
    expect(await codeOf(store.resolve('debian'))).toBe('REFERENCE_NOT_FOUND');
    expect((await store.check()).problems).toEqual([]);
    expect(existsSync(root)).toBe(false);
  });

  it('refuses a store of another version, and folders that are none', async () => {
    const { store, root } = await newStore();
    await store.putBytes(mediaTypes.config, Buffer.from('{}'));
    await writeFile(join(root, 'version'), '99\n');
    expect(await codeOf(openStore(root))).toBe('STORE_VERSION');
    const other = await tempDir();
    await writeFile(join(other, 'letter.txt'), '');
    expect(await codeOf(openStore(other))).toBe('PATH_INVALID');
  });

  it('takes over a plain image layout', async () => {
    const { store, root } = await newStore();
    const memory = new MemoryContent();
    const { descriptor } = await randomImage(memory, 1);
    await copied(memory, descriptor, store, { name: 'app' });
    await store.close();
    for (const name of ['version', 'layers', 'cache', 'locks', 'tmp']) await rm(join(root, name), { recursive: true });
    const again = await openStore(root);
    expect((await again.resolve('app')).digest).toBe(descriptor.digest);
    await copied(memory, descriptor, again, { name: 'app2' });
    expect(await readFile(join(root, 'version'), 'utf8')).toBe('1\n');
  });
});

describe('names in the store', () => {
  it('are whole references, however they are written', async () => {
    const { store } = await newStore();
    const memory = new MemoryContent();
    const { descriptor } = await randomImage(memory, 1);
    await copied(memory, descriptor, store, { name: 'debian:12' });
    expect((await store.images())[0]!.name).toBe('docker.io/library/debian:12');
    for (const name of ['debian:12', 'library/debian:12', 'docker.io/library/debian:12', descriptor.digest]) {
      expect((await store.resolve(name)).digest).toBe(descriptor.digest);
    }
    expect((await store.resolve(`debian@${descriptor.digest}`)).digest).toBe(descriptor.digest);
    expect(await codeOf(store.resolve('debian'))).toBe('REFERENCE_NOT_FOUND');
    expect(await codeOf(store.tag(descriptor, 'Not A Name'))).toBe('INVALID_VALUE');
    await store.untag('debian:12');
    expect(await store.images()).toEqual([]);
    await store.close();
  });

  it('leave the image that loses its name without one', async () => {
    const { store } = await newStore();
    const memory = new MemoryContent();
    const one = await randomImage(memory, 1);
    const two = await randomImage(memory, 2);
    await copied(memory, one.descriptor, store, { name: 'app' });
    await copied(memory, two.descriptor, store, { name: 'app' });
    const images = await store.images();
    expect(images.map(({ name, descriptor }) => [name, descriptor.digest])).toEqual([
      [undefined, one.descriptor.digest],
      ['docker.io/library/app:latest', two.descriptor.digest],
    ]);
    await store.tag(one.descriptor, 'old');
    expect((await store.images()).map(({ name }) => name).sort()).toEqual([
      'docker.io/library/app:latest',
      'docker.io/library/old:latest',
    ]);
    await store.close();
  });

  it('remember when the image came, and no image holds that time', async () => {
    let time = Date.UTC(2026, 0, 1);
    const { store, root } = await newStore(() => new Date(time));
    const memory = new MemoryContent();
    const { descriptor } = await randomImage(memory, 1);
    await copied(memory, descriptor, store, { name: 'app' });
    time = Date.UTC(2026, 5, 1);
    await store.tag(descriptor, 'app2');
    const reopened = await openStore(root);
    const images = await reopened.images();
    expect(images.map(({ storedAt }) => storedAt.toISOString())).toEqual(Array(2).fill('2026-01-01T00:00:00.000Z'));
    expect(images[0]!.descriptor).toEqual(descriptor);
    expect((await reopened.resolve('app')).annotations).toBeUndefined();
    await store.close();
  });
});

describe('layers in the store', () => {
  async function pulled(compress = true): Promise<{ store: Store; root: string; layer: LayerRef; tar: Buffer }> {
    const { store, root } = await newStore();
    const tar = await randomTar(seededRandom(1), 200_000);
    const bytes = compress ? gzipSync(tar) : tar;
    const blob = describeBytes(bytes, compress ? mediaTypes.layerGzip : mediaTypes.layerTar);
    await store.put(blob, chunksOf(bytes.subarray(0, 3), bytes.subarray(3, 5000), bytes.subarray(5000)));
    return { store, root, layer: { diffId: digestOf(tar), blob }, tar };
  }

  it('are indexed in the pass that stores them', async () => {
    const { store, root, layer, tar } = await pulled();
    expect((await readdir(join(root, 'layers'))).sort()).toEqual([digestHex(layer.diffId), 'blobs'].sort());
    // Another store object reads what was written, without the blob.
    await rm(join(root, 'blobs', 'sha256', digestHex(layer.blob.digest)));
    const index = await (await openStore(root)).layerIndex(layer);
    expect(index).toMatchObject({ diffId: layer.diffId, size: tar.length });
    expect(index.entries.map(({ type }) => type)).toEqual(['directory', 'file', 'symlink']);
    await store.close();
  });

  it('are not held in memory while they are stored', async () => {
    const { store, root } = await newStore();
    const size = 64 * 1024;
    const count = 100;
    const bytes = Buffer.alloc(count * size, 'x');
    const refs: WeakRef<Uint8Array>[] = [];
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let held = count;
    async function* content(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += size) {
        const chunk = new Uint8Array(bytes.subarray(at, at + size));
        refs.push(new WeakRef(chunk));
        yield chunk;
      }
      // What a WeakRef was made or asked for is kept until the turn ends.
      await setImmediate();
      collect();
      held = refs.filter(ref => ref.deref() !== undefined).length;
    }
    const { signal } = new AbortController();
    for (const mediaType of [mediaTypes.layerTar, 'application/octet-stream']) {
      refs.length = 0;
      await rm(join(root, 'blobs'), { recursive: true, force: true });
      await store.put(describeBytes(bytes, mediaType), content(), { signal });
      expect(held).toBeLessThan(20);
    }
    await store.close();
  });

  it.each(['missing', 'cut', 'changed', 'of another version'])('are indexed again when the index is %s', async how => {
    const { store, root, layer } = await pulled();
    const expected = await store.layerIndex(layer);
    const path = join(root, 'layers', digestHex(layer.diffId));
    const bytes = await readFile(path);
    if (how === 'missing') await rm(path);
    else if (how === 'cut') await truncate(path, bytes.length - 5);
    else if (how === 'changed') await writeFile(path, bytes.toString().replace('link', 'lynk'));
    else await writeFile(path, bytes.toString().replace(/layer-index \d+/, 'layer-index 0'));
    expect({ ...(await (await openStore(root)).layerIndex(layer)), rows: undefined }).toEqual(expected);
    expect((await readFile(path)).equals(bytes)).toBe(true);
    await store.close();
  });

  it('are packed from themselves and from others, with the index that they have when they are packed anew', async () => {
    const { store, root } = await newStore();
    const random = seededRandom(2);
    const files = Array.from({ length: 40 }, (_, i) => file(`f${i + 10}`, randomBytes(random, 100_000)));
    const changed = files.with(20, file('f30', Buffer.from('changed')));
    const { layer } = await store.packLayer(files);
    const fresh = await (await newStore()).store.packLayer(changed);
    const readDigest: KnownDigests['readDigest'] = ({ content }, digests, at) => {
      setDigest(digests, at, digestOf((content as { bytes: Uint8Array }).bytes));
      return true;
    };
    const opened = (): string[] => openFiles().filter(path => path.startsWith(root));
    for (const [entries, expected] of [
      [files, { layer, made: 0 }],
      [changed, { layer: fresh.layer, made: 1 }],
    ] as const) {
      const plan = await store.planLayer(entries, { similar: layer, readDigest });
      const packed = await plan!.pack();
      await plan!.close();
      expect(packed.layer).toEqual(expected.layer);
      expect(packed.segments.made).toBe(expected.made);
      expect(packed.segments.taken).toBeGreaterThan(1);
      expect(opened()).toEqual([]);
      const index = await (await openStore(root)).layerIndex(packed.layer);
      expect(index.entries.map(({ path }) => path)).toEqual(entries.map(({ path }) => path));
      expect(await readAll(await store.openRange(packed.layer, 512, 10))).toHaveLength(10);
    }
    // Of a layer whose index is damaged nothing is taken, and one that is not packed leaves nothing.
    await truncate(join(root, 'layers', digestHex(layer.diffId)), 1000);
    const plan = await store.planLayer(files, { similar: layer, readDigest });
    await plan!.close();
    const again = await store.planLayer(files, { similar: layer, readDigest });
    expect((await again!.pack()).segments).toMatchObject({ taken: 0 });
    await again!.close();
    expect(opened()).toEqual([]);
    await store.close();
    expect((await readdir(join(root, 'tmp'))).length).toBe(0);
  });

  it('are read at any offset, compressed or not, foreign or packed here', async () => {
    for (const compress of [true, false]) {
      const { store, root, layer, tar } = await pulled(compress);
      const random = seededRandom(3);
      for (let i = 0; i < 20; i++) {
        const offset = Math.floor(random() * tar.length);
        const length = Math.floor(random() * (tar.length - offset));
        const range = await readAll(await store.openRange(layer, offset, length));
        expect(range.equals(tar.subarray(offset, offset + length))).toBe(true);
      }
      expect((await readdir(join(root, 'layers'))).filter(name => name.endsWith('.tar'))).toHaveLength(
        compress ? 1 : 0,
      );
      await store.close();
    }
    const { store, root } = await newStore();
    const contents = Array.from({ length: 40 }, (_, i) => randomBytes(seededRandom(i), 100_000));
    const { layer } = await store.packLayer(contents.map((bytes, i) => file(`f${i}`, bytes)));
    const index = await store.layerIndex(layer);
    expect(index.segments!.length).toBeGreaterThan(2);
    const reopened = await openStore(root);
    expect({ ...(await reopened.layerIndex(layer)), rows: undefined }).toEqual({ ...index, rows: undefined });
    for (const [i, entry] of index.entries.entries()) {
      if (entry.type !== 'file') continue;
      const range = await readAll(await reopened.openRange(layer, entry.offset, entry.size));
      expect(range.equals(contents[i]!)).toBe(true);
    }
    expect((await readdir(join(root, 'layers'))).filter(name => name.endsWith('.tar'))).toEqual([]);
    // The same bytes, had they come from elsewhere.
    const tar = await readAll(await reopened.openRange(layer, 0, index.size));
    expect(digestOf(tar)).toBe(layer.diffId);
    await store.close();
    await reopened.close();
  });

  it('copy files out of each other', async () => {
    const { store } = await newStore();
    const bytes = randomBytes(seededRandom(1), 50_000);
    const { layer: one } = await store.packLayer([file('a', bytes)]);
    const entry = (await store.layerIndex(one)).entries[0]!;
    if (entry.type !== 'file') throw new Error('a file went in');
    const { offset } = entry;
    const node = { ...entry, type: 'file' as const, content: { kind: 'layer' as const, layer: one, offset } };
    const { layer: two } = await store.packLayer([{ path: 'b', node }]);
    const copied = (await store.layerIndex(two)).entries[0]!;
    expect(copied.type === 'file' && copied.digest).toBe(digestOf(bytes));
    await store.close();
  });

  it('are not believed to be what an image says they are', async () => {
    const { store, layer } = await pulled();
    const other = await randomTar(seededRandom(2));
    const bytes = gzipSync(other);
    const blob = describeBytes(bytes, mediaTypes.layerGzip);
    await store.put(blob, chunksOf(bytes));
    const lie = { diffId: layer.diffId, blob };
    expect(await codeOf(store.layerIndex(lie))).toBe('DIGEST_MISMATCH');
    expect(await codeOf(store.openRange(lie, 0, 10))).toBe('DIGEST_MISMATCH');
    await store.close();
  });

  it('are kept as bytes when they are no layers, and refused when they are needed', async () => {
    const { store } = await newStore();
    for (const [bytes, code] of [
      ['neither gzip nor tar, but long enough to be looked at'.repeat(20), 'INVALID_ARCHIVE'],
      [gzipSync(await randomTar(seededRandom(1))).subarray(0, 500), 'CORRUPT_STREAM'],
      [Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2, 3]), 'UNSUPPORTED'],
    ] as const) {
      const blob = describeBytes(bytes, mediaTypes.layerGzip);
      await store.put(blob, chunksOf(bytes));
      expect(await store.has(blob)).toBe(true);
      expect(await codeOf(store.layerIndex({ diffId: digestOf('?'), blob }))).toBe(code);
    }
    await store.close();
  });

  it('are indexed once, however many ask', async () => {
    const { store, root, layer } = await pulled();
    await rm(join(root, 'layers'), { recursive: true });
    const fresh = await openStore(root);
    const all = await Promise.all(Array.from({ length: 10 }, () => fresh.layerIndex(layer)));
    expect(new Set(all).size).toBe(1);
    await store.close();
    await fresh.close();
  });

  it('leave nothing when packing fails or is stopped', async () => {
    const { store, root } = await newStore();
    await store.putBytes(mediaTypes.config, Buffer.from('{}'));
    const entries = function* (): Generator<LayerEntry> {
      for (let i = 0; i < 30; i++) yield file(`f${i}`, randomBytes(seededRandom(i), 100_000));
      throw new Error('no more');
    };
    await expect(store.packLayer(entries())).rejects.toThrow('no more');
    const controller = new AbortController();
    const stopping = store.packLayer(
      Array.from({ length: 60 }, (_, i) => file(`f${i}`, randomBytes(seededRandom(i), 100_000))),
      { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) },
    );
    await expect(stopping).rejects.toThrow('enough');
    expect(await readdir(join(root, 'blobs', 'sha256'))).toHaveLength(1);
    const [session] = await readdir(join(root, 'tmp'));
    expect(await readdir(join(root, 'tmp', session!))).toEqual([]);
    await store.close();
    expect(await readdir(join(root, 'tmp'))).toEqual([]);
    expect(await readdir(join(root, 'locks', 'sessions'))).toEqual([]);
  });

  it('make images that open', async () => {
    const { store } = await newStore();
    const memory = new MemoryContent();
    const { descriptor, layers } = await randomImage(memory, 1);
    await copied(memory, descriptor, store, { name: 'app' });
    const image = await openImage(store, await store.resolve('app'));
    expect(image.layers.map(({ diffId }) => diffId)).toEqual(layers.map(({ diffId }) => diffId));
    for (const { diffId, descriptor: blob } of image.layers) {
      expect((await store.layerIndex({ diffId, blob })).entries).toHaveLength(3);
    }
    await store.close();
  });
});

describe('bytes without a digest', () => {
  it('get the one they have, and are there once', async () => {
    const root = await tempDir();
    const store = await openStore(root);
    const blob = await store.putStream('text/plain', chunksOf('hel', 'lo'));
    expect(blob).toEqual(describeBytes('hello', 'text/plain'));
    expect(await store.putStream('text/plain', chunksOf('hello'))).toEqual(blob);
    expect((await readAll(await store.open(blob))).toString()).toBe('hello');
    expect((await readAll(await store.openPart(blob, 1, 3))).toString()).toBe('ell');
    expect((await readAll(await store.openPart(blob, 0, 5))).toString()).toBe('hello');
    expect((await store.putStream('text/plain', chunksOf())).size).toBe(0);
    expect(await readdir(join(root, 'blobs', 'sha256'))).toHaveLength(2);
    await store.close();
  });

  it('leave nothing when they end in an error, or too early', async () => {
    const root = await tempDir();
    const store = await openStore(root);
    const controller = new AbortController();
    async function* broken(end: () => void): AsyncGenerator<Uint8Array> {
      yield Buffer.from('some');
      end();
      yield Buffer.from('more');
    }
    const fail = (): never => {
      throw new Error('the source broke');
    };
    await expect(store.putStream('text/plain', broken(fail))).rejects.toThrow('the source broke');
    const stopped = broken(() => controller.abort(new Error('enough')));
    await expect(store.putStream('text/plain', stopped, controller)).rejects.toThrow('enough');
    const left = await readdir(join(root, 'blobs'), { recursive: true, withFileTypes: true });
    expect(left.filter(entry => entry.isFile())).toEqual([]);
    expect(
      (await readdir(join(root, 'tmp'), { recursive: true, withFileTypes: true })).filter(e => e.isFile()),
    ).toEqual([]);
    await store.close();
  });
});

describe('records in the store', () => {
  it('come back as they went in', async () => {
    const { store, root } = await newStore();
    const blob = await store.putBytes(mediaTypes.config, Buffer.from('{}'));
    const record = { body: Buffer.from([0, 10, 255, 13]), blobs: [blob.digest] };
    await store.putRecord('00ff', record);
    const read = await (await openStore(root)).getRecord('00ff');
    expect(Buffer.from(read!.body).equals(record.body)).toBe(true);
    expect(read!.blobs).toEqual(record.blobs);
    expect(await store.getRecord('0f')).toBeUndefined();
    await store.close();
  });

  it('are as good as missing when they or their blobs are damaged', async () => {
    const { store, root } = await newStore();
    const blob = await store.putBytes(mediaTypes.config, Buffer.from('{}'));
    await store.putRecord('aa', { body: Buffer.from('body'), blobs: [blob.digest] });
    await store.putRecord('bb', { body: Buffer.from('body'), blobs: [] });
    await rm(join(root, 'blobs', 'sha256', digestHex(blob.digest)));
    expect(await store.getRecord('aa')).toBeUndefined();
    await writeFile(join(root, 'cache', 'steps', 'bb'), 'lading record 1 00\n[]\nbody');
    expect(await store.getRecord('bb')).toBeUndefined();
    await store.close();
  });

  it('have keys that are no paths', async () => {
    const { store } = await newStore();
    for (const key of ['../x', '', 'AB', 'a/b', '.']) {
      expect(await codeOf(store.getRecord(key))).toBe('INVALID_VALUE');
      expect(await codeOf(store.putRecord(key, { body: Buffer.alloc(0), blobs: [] }))).toBe('INVALID_VALUE');
    }
    await store.close();
  });
});
