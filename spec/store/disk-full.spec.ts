import { execFileSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { copyImage } from '../../src/content/copy.js';
import { isLadingError } from '../../src/errors/errors.js';
import { validateImage } from '../../src/image/validate.js';
import { openStore } from '../../src/store/store.js';
import { chunksOf, codeOf, describeBytes } from '../support/content-suite.js';
import { MemoryContent } from '../support/memory-content.js';
import { randomBytes, randomImage, seededRandom } from '../support/random-image.js';
import { tempDir } from '../support/temp-dir.js';
import { startChild } from './start-child.js';

const mounts: string[] = [];
afterAll(() => {
  for (const path of mounts) execFileSync('umount', [path]);
});

/** A file system of 1 MiB; `undefined` where this user may not mount one. */
async function tinyDisk(): Promise<string | undefined> {
  const path = join(await tempDir(), 'disk');
  await mkdir(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  mounts.push(path);
  return path;
}

describe('a store on a full disk', () => {
  it('says so, keeps nothing half, and works again when there is room', async context => {
    const disk = await tinyDisk();
    if (disk === undefined) return context.skip('this user may not mount a tmpfs: nothing is known about full disks');
    const store = await openStore(join(disk, 'store'));
    const memory = new MemoryContent();
    const { descriptor } = await randomImage(memory, 1);
    await copyImage(memory, descriptor, store, { name: 'small' });
    const bytes = randomBytes(seededRandom(1), 2 * 1024 * 1024);
    const large = describeBytes(bytes);
    const failure = await store.put(large, chunksOf(bytes)).catch(error => error);
    expect(isLadingError(failure, 'IO') && failure.details.errno).toBe('ENOSPC');
    expect(isLadingError(failure, 'IO') && failure.details.path).toContain(disk);
    expect(failure.hint).toBeDefined();
    const node = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, size: bytes.length } as const;
    const packing = store.packLayer([{ path: 'f', node: { ...node, content: { kind: 'bytes', bytes } } }]);
    expect(await codeOf(packing)).toBe('IO');
    const big = await randomImage(memory, 2, { layerBytes: 700_000 });
    expect(await codeOf(copyImage(memory, big.descriptor, store, { name: 'small' }))).toBe('IO');
    const [session] = await readdir(join(disk, 'store', 'tmp'));
    expect(await readdir(join(disk, 'store', 'tmp', session!))).toEqual([]);
    expect((await store.check()).problems).toEqual([]);
    expect((await store.resolve('small')).digest).toBe(descriptor.digest);
    await validateImage(store, descriptor);
    await store.close();
    expect((await store.prune()).freedBytes).toBeGreaterThan(0);
    const third = await randomImage(memory, 3);
    await copyImage(memory, third.descriptor, store, { name: 'after' });
    await store.close();
  });

  it('passes on that a file may not grow, at whichever write it is refused', { timeout: 60_000 }, async () => {
    const root = join(await tempDir(), 'store');
    const store = await openStore(root);
    const memory = new MemoryContent();
    const { descriptor } = await randomImage(memory, 1);
    await copyImage(memory, descriptor, store, { name: 'base' });
    await store.close();
    // In blocks of 512 bytes: from "not even a session" over "no layer" to "no index.json".
    for (const blocks of [0, 2, 8]) {
      const child = await startChild(['churn', root], { shell: `ulimit -f ${blocks}` });
      const { code, stderr } = await child.ended;
      expect(code).not.toBe(0);
      expect(stderr).toContain('EFBIG');
      expect((await store.check()).problems).toEqual([]);
      await validateImage(store, await store.resolve('base'));
    }
  });
});
