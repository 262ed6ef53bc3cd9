import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CacheFolder, CacheFolderSharing } from '../../src/store/cache-folders.js';
import { openStore, type Store } from '../../src/store/store.js';

let root: string;
let stores: Store[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lading-cache-folders-'));
  stores = [];
});
afterEach(async () => {
  for (const store of stores) await store.close();
  rmSync(root, { recursive: true, force: true });
});

async function folders(): Promise<ReturnType<Store['cacheFolders']>> {
  const store = await openStore(root);
  stores.push(store);
  return store.cacheFolders();
}

let filled = 0;
const fill = async (path: string): Promise<void> => {
  filled += 1;
  mkdirSync(path);
};
type Folders = Awaited<ReturnType<typeof folders>>;
const open = (from: Folders, sharing: CacheFolderSharing, fresh = false, signal?: AbortSignal): Promise<CacheFolder> =>
  from.open('key', { sharing, fresh, fill, signal });

describe('folders of caches', () => {
  it('keep what is put into them', async () => {
    const one = await open(await folders(), 'shared');
    writeFileSync(join(one.path, 'f'), 'kept');
    await one.release();
    const before = filled;
    const other = await open(await folders(), 'locked');
    expect(readFileSync(join(other.path, 'f'), 'utf8')).toBe('kept');
    expect(filled).toBe(before);
    await other.release();
    expect(readdirSync(join(root, 'locks', 'mounts'))).toEqual([]);
  });

  it('are shared by those who share', async () => {
    const [one, two] = [await open(await folders(), 'shared'), await open(await folders(), 'shared')];
    expect(one.path).toBe(two.path);
    const three = await open(await folders(), 'private');
    expect(three.path).not.toBe(one.path);
    for (const each of [one, two, three]) await each.release();
    const four = await open(await folders(), 'private');
    expect(four.path).toBe(one.path);
    await four.release();
  });

  it('are waited for by those who lock, and by nobody else', async () => {
    const held = await open(await folders(), 'locked');
    let opened = false;
    const waiting = open(await folders(), 'locked').then(folder => {
      opened = true;
      return folder;
    });
    const beside = await open(await folders(), 'shared');
    expect(beside.path).not.toBe(held.path);
    expect(opened).toBe(false);
    await held.release();
    const second = await waiting;
    expect(second.path).toBe(held.path);
    for (const each of [beside, second]) await each.release();
  });

  it('are given up for when the signal says so', async () => {
    const held = await open(await folders(), 'locked');
    const stop = new AbortController();
    const waiting = open(await folders(), 'locked', false, stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await expect(waiting).rejects.toThrow('enough');
    await held.release();
  });

  it('begin anew once for who wants that', async () => {
    const from = await folders();
    const one = await open(from, 'shared');
    writeFileSync(join(one.path, 'f'), 'old');
    await one.release();
    const again = await folders();
    const two = await open(again, 'shared', true);
    expect(readdirSync(two.path)).toEqual([]);
    writeFileSync(join(two.path, 'f'), 'new');
    await two.release();
    const three = await open(again, 'shared', true);
    expect(readFileSync(join(three.path, 'f'), 'utf8')).toBe('new');
    await three.release();
  });

  it('are not emptied under those who use them', async () => {
    const one = await open(await folders(), 'shared');
    writeFileSync(join(one.path, 'f'), 'mine');
    const two = await open(await folders(), 'shared', true);
    expect(two.path).not.toBe(one.path);
    expect(existsSync(join(one.path, 'f'))).toBe(true);
    for (const each of [one, two]) await each.release();
  });

  it('are taken from who was killed', async () => {
    const held = await open(await folders(), 'locked');
    const locks = join(root, 'locks', 'mounts');
    const [name] = readdirSync(locks);
    const identity = JSON.parse(readFileSync(join(locks, name!), 'utf8'));
    writeFileSync(join(locks, name!), `${JSON.stringify({ ...identity, startTime: '1' })}\n`);
    const next = await open(await folders(), 'locked');
    expect(next.path).toBe(held.path);
    await next.release();
  });

  it('are pruned when nobody has them', async () => {
    const one = await open(await folders(), 'shared');
    writeFileSync(join(one.path, 'f'), 'mine');
    const pruning = await openStore(root);
    stores.push(pruning);
    const inUse = await pruning.prune({ mounts: true });
    expect(inUse).toMatchObject({ cacheItems: 0, stuck: [], freedBytes: 0, leasedBytes: 4 });
    expect(readFileSync(join(one.path, 'f'), 'utf8')).toBe('mine');
    await one.release();
    expect(await pruning.prune({ mounts: true })).toMatchObject({ cacheItems: 1, freedBytes: 4 });
    expect(readdirSync(join(root, 'mounts'))).toEqual([]);
    expect(readdirSync(join(root, 'locks', 'mounts'))).toEqual([]);
  });

  it('are not there when they could not be filled', async () => {
    const from = await folders();
    const fails = from.open('key', {
      sharing: 'shared',
      fresh: false,
      fill: async path => {
        mkdirSync(path);
        throw new Error('no');
      },
    });
    await expect(fails).rejects.toThrow('no');
    expect(readdirSync(join(root, 'mounts', 'key'))).toEqual([]);
  });
});
