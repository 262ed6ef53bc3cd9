import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { copyImage } from '../../src/content/copy.js';
import { validateImage } from '../../src/image/validate.js';
import { openLayout } from '../../src/store/layout.js';
import { openStore } from '../../src/store/store.js';
import { MemoryContent } from '../support/memory-content.js';
import { randomImage, seededRandom } from '../support/random-image.js';
import { tempDir } from '../support/temp-dir.js';
import { startChild } from './start-child.js';

const kills = 25;

describe('a store whose users are killed', () => {
  it(`is clean after ${kills} kills at any point, and has every image that it had`, { timeout: 300_000 }, async () => {
    const root = join(await tempDir(), 'store');
    const store = await openStore(root);
    const memory = new MemoryContent();
    const images = await Promise.all([1, 2, 3].map(seed => randomImage(memory, seed)));
    for (const [i, { descriptor }] of images.entries())
      await copyImage(memory, descriptor, store, { name: `base:${i}` });
    await store.close();
    const random = seededRandom(4);
    for (let kill = 0; kill < kills; kill++) {
      // Two at a time, so that a kill falls into the work of another, too.
      const children = [await startChild(['churn', root]), await startChild(['churn', root])];
      await Promise.race(children.map(child => child.working));
      await delay(random() * 150);
      for (const child of children) child.process.kill('SIGKILL');
      for (const child of children) expect(await child.ended).toEqual({ code: 'SIGKILL', stderr: '' });
      const fresh = await openStore(root);
      expect((await fresh.check()).problems).toEqual([]);
      for (const [i, { descriptor }] of images.entries()) {
        expect((await fresh.resolve(`base:${i}`)).digest).toBe(descriptor.digest);
        await validateImage(fresh, descriptor);
      }
      await fresh.close();
    }
    const last = await openStore(root);
    // Whoever changes a name takes over the lock that somebody may have been killed with.
    await copyImage(memory, images[0]!.descriptor, last, { name: 'last' });
    await last.prune({ all: true, cache: true });
    expect((await last.check()).leftovers).toEqual([]);
    await last.close();
    expect(await readdir(join(root, 'tmp'))).toEqual([]);
    expect((await readdir(join(root, 'locks'))).sort()).toEqual(['leases', 'sessions']);
  });
});

describe('folders of caches whose users are killed', () => {
  it('never go while somebody has them, and leave nothing behind after a prune', { timeout: 300_000 }, async () => {
    const root = join(await tempDir(), 'store');
    const random = seededRandom(5);
    for (let kill = 0; kill < 8; kill++) {
      const children = [await startChild(['mounts', root]), await startChild(['mounts', root])];
      await Promise.all(children.map(child => child.working));
      await delay(random() * 150);
      for (const child of children) child.process.kill('SIGKILL');
      for (const child of children) expect(await child.ended).toEqual({ code: 'SIGKILL', stderr: '' });
    }
    // Somebody who was killed between making a lock and filling it counts as alive for a moment.
    await delay(2500);
    const store = await openStore(root);
    await store.prune({ mounts: true });
    await store.close();
    expect(await readdir(join(root, 'mounts'))).toEqual([]);
    expect(await readdir(join(root, 'locks', 'mounts'))).toEqual([]);
    expect(await readdir(join(root, 'tmp'))).toEqual([]);
  });
});

describe('many processes on one store', () => {
  it('lose no name', { timeout: 120_000 }, async () => {
    const root = join(await tempDir(), 'store');
    const store = await openStore(root);
    const memory = new MemoryContent();
    const { descriptor } = await randomImage(memory, 1);
    await copyImage(memory, descriptor, store, { name: 'base' });
    await store.close();
    const children = await Promise.all([1, 2, 3, 4, 5].map(i => startChild(['tag', root, `p${i}`, '10'])));
    for (const child of children) expect(await child.ended).toEqual({ code: 0, stderr: '' });
    const names = (await store.images()).map(({ name }) => name);
    expect(new Set(names).size).toBe(51);
    expect((await store.check()).problems).toEqual([]);
  });

  it('lose no name of a plain layout', { timeout: 120_000 }, async () => {
    const root = join(await tempDir(), 'layout');
    const layout = openLayout(root);
    const memory = new MemoryContent();
    await copyImage(memory, (await randomImage(memory, 1)).descriptor, layout, { name: 'base' });
    const children = await Promise.all([1, 2, 3].map(i => startChild(['tag-layout', root, `p${i}`, '10'])));
    for (const child of children) expect(await child.ended).toEqual({ code: 0, stderr: '' });
    expect(await layout.refs()).toHaveLength(31);
    expect((await readdir(root)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });
});
