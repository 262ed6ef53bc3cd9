/**
 * A process that works on a store until it is killed: bundled and started by the specs of this folder. The first
 * argument says what to do, the second is the root.
 */
import { randomInt } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, exit, pid, stdout } from 'node:process';
import { copyImage } from '../../src/content/copy.js';
import { FileLock } from '../../src/store/file-lock.js';
import { openLayout } from '../../src/store/layout.js';
import { openStore } from '../../src/store/store.js';
import { MemoryContent } from '../support/memory-content.js';
import { randomBytes, randomImage, seededRandom } from '../support/random-image.js';

const [, , task, root, ...rest] = argv as [string, string, string, string, ...string[]];

/** Everything that writes, in turn, for ever. */
async function churn(): Promise<void> {
  for (let i = 0; ; i++) {
    const store = await openStore(root);
    const memory = new MemoryContent();
    const image = await randomImage(memory, randomInt(1000), { layerBytes: 30_000 });
    await copyImage(memory, image.descriptor, store, { name: `churn:${i % 3}` });
    const bytes = randomBytes(seededRandom(randomInt(1000)), 50_000);
    const node = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, size: bytes.length } as const;
    const { layer } = await store.packLayer([{ path: 'f', node: { ...node, content: { kind: 'bytes', bytes } } }]);
    await store.putRecord(`${randomInt(100)}`, { body: bytes.subarray(0, 100), blobs: [layer.blob.digest] });
    await (await store.openRange(image.layers[0]!, 0, 100)).toArray();
    if (i % 2 === 0) await store.untag(`churn:${randomInt(3)}`).catch(() => {});
    await store.prune(i % 3 === 0 ? { all: true, cache: true } : {});
    await store.close();
    await store.prune({ all: true, keepCacheBytes: 60_000 });
    if (i === 0) stdout.write('working\n');
  }
}

/** Takes folders of caches and prunes them, in turn, for ever; ends when a folder goes while it is held. */
async function mounts(): Promise<void> {
  const sharings = ['shared', 'private', 'locked'] as const;
  for (let i = 0; ; i++) {
    const store = await openStore(root);
    const lease = i % 3 === 0 ? undefined : await store.lease();
    const folder = await store.cacheFolders().open(`key${randomInt(3)}`, {
      sharing: sharings[randomInt(3)]!,
      fresh: i % 5 === 0,
      fill: async path => void (await mkdir(path)),
    });
    await writeFile(join(folder.path, `${pid}`), 'kept');
    await store.prune({ mounts: true });
    await readFile(join(folder.path, `${pid}`));
    await folder.release();
    await lease?.release();
    await store.prune({ mounts: true });
    await store.close();
    if (i === 0) stdout.write('working\n');
  }
}

/** Names one image with some names of its own. */
async function tag(prefix: string, count: string): Promise<void> {
  const store = await openStore(root);
  const descriptor = await store.resolve('base');
  for (let i = 0; i < Number(count); i++) await store.tag(descriptor, `${prefix}:${i}`);
  await store.close();
}

/** Adds names to a plain layout. */
async function tagLayout(prefix: string, count: string): Promise<void> {
  const layout = openLayout(root);
  const descriptor = await layout.resolve('base');
  for (let i = 0; i < Number(count); i++) await layout.tag(descriptor, `${prefix}-${i}`);
}

/** Takes a lock and keeps it until it is killed. */
async function hold(): Promise<void> {
  await new FileLock(root).hold(async () => {
    stdout.write('working\n');
    await new Promise(resolve => setTimeout(resolve, 60_000));
  });
}

const tasks: Readonly<Record<string, (...args: string[]) => Promise<void>>> = {
  churn,
  hold,
  mounts,
  tag: (prefix, count) => tag(prefix!, count!),
  'tag-layout': (prefix, count) => tagLayout(prefix!, count!),
};

await tasks[task]!(...rest);
exit(0);
