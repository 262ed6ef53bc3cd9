import { existsSync } from 'node:fs';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyImage } from '../../src/content/copy.js';
import { validateImage } from '../../src/image/validate.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import { openStore, type Store } from '../../src/store/store.js';
import { chunksOf, describeBytes, readAll } from '../support/content-suite.js';
import { MemoryContent } from '../support/memory-content.js';
import { describeWith, runProgram } from '../support/programs.js';
import { type RandomImage, randomImage } from '../support/random-image.js';
import { tempDir } from '../support/temp-dir.js';

/** A store with these images, closed and opened again, so that nothing is leased. */
async function storeWith(
  ...names: Array<string | undefined>
): Promise<{ store: Store; root: string; images: RandomImage[] }> {
  const root = join(await tempDir(), 'store');
  const filling = await openStore(root);
  const memory = new MemoryContent();
  const images: RandomImage[] = [];
  for (const [seed, name] of names.entries()) {
    const image = await randomImage(memory, seed + 1);
    await copyImage(memory, image.descriptor, filling, { name });
    images.push(image);
  }
  await filling.close();
  return { store: await openStore(root), root, images };
}

const blobsOf = ({ descriptor, config, layers }: RandomImage): string[] =>
  [descriptor, config, ...layers.map(({ blob }) => blob)].map(({ digest }) => digest).sort();

describe('prune', () => {
  it('deletes what no name needs, and all that was known of it', async () => {
    const { store, root, images } = await storeWith('a', 'b');
    await store.untag('b');
    await store.close();
    const before = await store.usage();
    const report = await store.prune();
    expect([...report.blobs].sort()).toEqual(blobsOf(images[1]!));
    expect(report.freedBytes).toBe(before.totalBytes - (await store.usage()).totalBytes);
    expect(await readdir(join(root, 'layers', 'blobs'))).toHaveLength(2);
    expect(await readdir(join(root, 'layers'))).toHaveLength(3);
    await validateImage(store, images[0]!.descriptor);
    expect((await store.prune()).freedBytes).toBe(0);
    expect((await store.check()).problems).toEqual([]);
  });

  it('keeps what two images share', async () => {
    const { store, root } = await storeWith();
    const memory = new MemoryContent();
    const one = await randomImage(memory, 1);
    const two = await randomImage(memory, 1, { platform: { os: 'linux', architecture: 'arm64' } });
    for (const [name, { descriptor }] of [['one', one] as const, ['two', two] as const]) {
      await copyImage(memory, descriptor, store, { name });
    }
    await store.untag('one');
    await store.close();
    const report = await (await openStore(root)).prune();
    expect(report.blobs).toHaveLength(2);
    await validateImage(store, two.descriptor);
  });

  it('keeps nameless images until it is asked for all', async () => {
    const { store, images } = await storeWith('a', undefined);
    await store.keep(images[1]!.descriptor);
    await store.close();
    expect((await store.prune()).blobs).toEqual([]);
    const report = await store.prune({ all: true });
    expect(report.images).toEqual([images[1]!.descriptor.digest]);
    expect([...report.blobs].sort()).toEqual(blobsOf(images[1]!));
    expect((await store.images()).map(({ name }) => name)).toEqual(['docker.io/library/a:latest']);
  });

  it('only tells when it is asked to', async () => {
    const { store, images } = await storeWith('a');
    await store.untag('a');
    await store.close();
    const dry = await store.prune({ dryRun: true });
    expect([...dry.blobs].sort()).toEqual(blobsOf(images[0]!));
    await validateImage(store, images[0]!.descriptor);
    expect(await store.prune()).toEqual(dry);
  });

  describe('of the cache', () => {
    async function withRecords(): Promise<{ store: Store; root: string }> {
      const { store, root } = await storeWith('a');
      for (let i = 0; i < 3; i++) {
        const blob = await store.putBytes('application/octet-stream', Buffer.alloc(10_000 + i, i));
        await store.putRecord(`a${i}`, { body: Buffer.from('step'), blobs: [blob.digest] });
        await utimes(join(root, 'cache', 'steps', `a${i}`), 1000 + i, 1000 + i);
      }
      await store.close();
      return { store, root };
    }

    it('keeps every record, with its blobs, unless asked', async () => {
      const { store } = await withRecords();
      expect((await store.prune({ all: true })).freedBytes).toBe(0);
    });

    it('deletes it all', async () => {
      const { store, root } = await withRecords();
      await mkdir(join(await store.folder('mounts'), 'npm'));
      await writeFile(join(root, 'mounts', 'npm', 'cached'), 'x'.repeat(100));
      await store.folder('snapshots').then(path => mkdir(join(path, 'root')));
      const report = await store.prune({ cache: true });
      expect(report).toMatchObject({ records: 3, cacheItems: 2 });
      expect(report.blobs).toHaveLength(3);
      expect(existsSync(join(root, 'mounts', 'npm'))).toBe(false);
      expect((await store.usage()).records).toEqual({ count: 0, sizeBytes: 0, reclaimableBytes: 0 });
    });

    it('deletes folders of commands alone', async () => {
      const { store, root } = await withRecords();
      await mkdir(join(await store.folder('mounts'), 'npm'));
      await writeFile(join(root, 'mounts', 'npm', 'cached'), 'x'.repeat(100));
      await store.folder('snapshots').then(path => mkdir(join(path, 'root')));
      expect(await store.prune({ mounts: true })).toMatchObject({ records: 0, cacheItems: 1, freedBytes: 100 });
      expect(existsSync(join(root, 'mounts', 'npm'))).toBe(false);
      expect(existsSync(join(root, 'snapshots', 'root'))).toBe(true);
    });

    it('keeps what was used last within the budget', async () => {
      const { store } = await withRecords();
      const report = await store.prune({ keepCacheBytes: 21_000 });
      expect(report.records).toBe(1);
      expect(await store.getRecord('a0')).toBeUndefined();
      expect(await store.getRecord('a1')).toBeDefined();
      expect(await store.getRecord('a2')).toBeDefined();
    });

    it('counts a use of a record', async () => {
      const { store } = await withRecords();
      await store.getRecord('a0');
      await store.close();
      await store.prune({ keepCacheBytes: 11_000 });
      expect(await store.getRecord('a0')).toBeDefined();
      expect(await store.getRecord('a2')).toBeUndefined();
    });

    it('deletes layers spooled for reading', async () => {
      const { store, root, images } = await storeWith('a');
      const layer = images[0]!.layers[0]!;
      const range = await readAll(await store.openRange(layer, 0, 512));
      await store.close();
      const report = await store.prune({ cache: true });
      expect(report).toMatchObject({ blobs: [], layerFiles: 1 });
      expect((await readdir(join(root, 'layers'))).some(name => name.endsWith('.tar'))).toBe(false);
      expect((await readAll(await store.openRange(layer, 0, 512))).equals(range)).toBe(true);
      await store.close();
    });
  });

  describe('while others work', () => {
    it('keeps what was written under a lease', async () => {
      const { store, root } = await storeWith('a');
      const working = await openStore(root);
      const blob = await working.putBytes(mediaTypes.config, Buffer.from('{"new":1}'));
      const report = await store.prune();
      expect(report.blobs).toEqual([]);
      expect(report.leasedBytes).toBe(blob.size);
      expect(await working.has(blob)).toBe(true);
      await working.close();
      expect((await store.prune()).blobs).toEqual([blob.digest]);
    });

    it('keeps what was found and counted on under a lease', async () => {
      const { store, root, images } = await storeWith('a');
      await store.untag('a');
      await store.close();
      for (const path of await blobPaths(root)) await utimes(path, 1000, 1000);
      const working = await openStore(root);
      expect(await working.has(images[0]!.descriptor)).toBe(true);
      expect((await store.prune()).blobs).toEqual([]);
      await working.tag(images[0]!.descriptor, 'again');
      await working.close();
      expect((await store.prune()).blobs).toEqual([]);
      await validateImage(store, images[0]!.descriptor);
    });

    it('forgets a lease with its process', async () => {
      const { store, root } = await storeWith('a');
      const blob = await store.putBytes(mediaTypes.config, Buffer.from('{"new":1}'));
      const identity = JSON.stringify({ pid: 999_999_999, startTime: '1', realm: await ownRealm(root) });
      const [session] = await readdir(join(root, 'locks', 'sessions'));
      await writeFile(join(root, 'locks', 'sessions', session!), `${identity}\n`);
      await writeFile(join(root, 'tmp', session!, '9'), 'half a blob');
      const other = await openStore(root);
      expect((await other.check()).leftovers).toEqual([session]);
      expect(await other.prune()).toMatchObject({ leftovers: 1, blobs: [blob.digest] });
      expect(await readdir(join(root, 'tmp'))).toEqual([]);
      expect((await other.check()).leftovers).toEqual([]);
    });

    it('sweeps what a killed process left with the next write', async () => {
      const { store, root } = await storeWith('a');
      await mkdir(join(root, 'tmp', 'gone'), { recursive: true });
      await writeFile(join(root, 'tmp', 'gone', '1'), 'half a blob');
      await store.putBytes(mediaTypes.config, Buffer.from('{}'));
      expect(await readdir(join(root, 'tmp'))).toHaveLength(1);
      expect((await store.check()).leftovers).toEqual([]);
      await store.close();
    });

    it('keeps explicit leases until they are released', async () => {
      const { store, root } = await storeWith('a');
      const working = await openStore(root);
      const [first, second] = [await working.lease(), await working.lease()];
      await store.put(describeBytes('x'), chunksOf('x'));
      await store.close();
      await first.release();
      expect((await store.prune()).blobs).toEqual([]);
      await second.release();
      expect((await store.prune()).blobs).toHaveLength(1);
      await working.close();
    });

    it('never breaks an image that is being copied in, over and over', async () => {
      const { store, root } = await storeWith('base');
      const memory = new MemoryContent();
      const images = await Promise.all(Array.from({ length: 6 }, (_, i) => randomImage(memory, 50 + i)));
      let done = false;
      let freed = 0;
      const pruning = (async () => {
        while (!done) freed += await openStore(root).then(async other => (await other.prune({ all: true })).freedBytes);
      })();
      for (let round = 0; round < 12; round++) {
        const { descriptor } = images[round % images.length]!;
        const working = await openStore(root);
        await copyImage(memory, descriptor, working, { name: 'app' });
        await validateImage(working, await working.resolve('app'));
        if (round % 3 === 0) await working.untag('app');
        await working.close();
      }
      done = true;
      await pruning;
      expect(freed + (await store.prune({ all: true })).freedBytes).toBeGreaterThan(0);
      expect((await store.check()).problems).toEqual([]);
      expect(await store.resolve('base')).toBeDefined();
    }, 60_000);
  });
});

describe('usage', () => {
  it('adds up, and tells what is shared and what could go', async () => {
    const { store, root } = await storeWith();
    const memory = new MemoryContent();
    const one = await randomImage(memory, 1);
    const two = await randomImage(memory, 1, { platform: { os: 'linux', architecture: 'arm64' } });
    await copyImage(memory, one.descriptor, store, { name: 'one' });
    await copyImage(memory, two.descriptor, store);
    await store.keep(two.descriptor);
    const loose = await store.putBytes('application/octet-stream', Buffer.alloc(5000));
    const kept = await store.putBytes('application/octet-stream', Buffer.alloc(7000));
    await store.putRecord('aa', { body: Buffer.alloc(10), blobs: [kept.digest] });
    await store.close();
    for (const kind of ['roots', 'logs']) {
      await mkdir(join(root, 'containers', kind), { recursive: true });
      await writeFile(join(root, 'containers', kind, 'a'), 'x'.repeat(30));
    }
    const usage = await (await openStore(root)).usage();
    const layers = one.layers.reduce((total, { blob }) => total + blob.size, 0);
    const own = two.descriptor.size + two.config.size;
    expect(usage.images).toEqual({
      count: 2,
      sizeBytes: layers + own + one.descriptor.size + one.config.size,
      reclaimableBytes: own,
    });
    expect(usage.garbage).toEqual({ count: 1, sizeBytes: loose.size, reclaimableBytes: loose.size });
    expect(usage.records.sizeBytes).toBeGreaterThan(7000);
    expect(usage.containers).toEqual({ count: 0, sizeBytes: 60, reclaimableBytes: 0 });
    expect(usage.layers.count).toBe(2);
    expect(usage.perImage.map(({ name, sharedBytes }) => [name, sharedBytes])).toEqual([
      ['docker.io/library/one:latest', layers],
      [undefined, layers],
    ]);
    expect(await (await openStore(root)).imageUsage()).toEqual(usage.perImage);
  });
});

async function blobPaths(root: string): Promise<string[]> {
  const folder = join(root, 'blobs', 'sha256');
  return (await readdir(folder)).map(name => join(folder, name));
}

/** What this process calls the place where pids mean something. */
async function ownRealm(root: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const [session] = await readdir(join(root, 'locks', 'sessions'));
  return JSON.parse(await readFile(join(root, 'locks', 'sessions', session!), 'utf8')).realm;
}

describeWith(['root', 'mount', 'umount'], 'pruning what cannot be deleted', () => {
  it('leaves it, tells of it, and works on', async () => {
    const root = join(await tempDir(), 'store');
    const store = await openStore(root);
    const folder = join(await store.folder('snapshots'), 'a');
    await mkdir(join(folder, 'busy'), { recursive: true });
    await runProgram('mount', ['-t', 'tmpfs', 'tmpfs', join(folder, 'busy')]);
    try {
      expect(await store.prune({ cache: true })).toMatchObject({ stuck: [folder], cacheItems: 1 });
      expect(existsSync(folder)).toBe(false);
      await store.putBytes(mediaTypes.config, Buffer.from('{}'));
      expect((await store.prune()).stuck).toHaveLength(1);
    } finally {
      const left = (await readdir(join(root, 'tmp'))).map(name => join(root, 'tmp', name, 'busy'));
      for (const path of [join(folder, 'busy'), ...left]) if (existsSync(path)) await runProgram('umount', [path]);
    }
    expect((await store.prune()).stuck).toEqual([]);
    await store.close();
  });
});
