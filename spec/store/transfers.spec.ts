import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore, type Store } from '../../src/store/store.js';
import { listTransfers, removeTransfer } from '../../src/store/transfers.js';
import { tempDir } from '../support/temp-dir.js';

async function opened(root: string): Promise<Store> {
  const store = await openStore(root);
  onTestFinished(() => store.close());
  return store;
}

describe('notes of transfers', () => {
  it('are for one at a time, of whichever store object', async () => {
    const root = await tempDir();
    const stores = [await opened(root), await opened(root)];
    let inside = 0;
    let count = 0;
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        stores[i % 2]!.holdTransfer('same', async note => {
          expect(++inside).toBe(1);
          const before = Number((await note.read()) ?? 0);
          await new Promise(resolve => setTimeout(resolve, 1));
          await note.write(String(before + 1));
          count = before + 1;
          inside--;
        }),
      ),
    );
    expect(count).toBe(12);
  });

  it('can be read by nobody else, and go when they are removed', async () => {
    const store = await opened(await tempDir());
    const folder = join(store.root, 'transfers');
    await store.holdTransfer('one', note => note.write('secret'));
    const [name, ...others] = await readdir(folder);
    expect(others).toEqual([]);
    expect(await readFile(join(folder, name!), 'utf8')).toBe('secret');
    expect((await stat(join(folder, name!))).mode & 0o777).toBe(0o600);
    await store.holdTransfer('one', note => note.remove());
    expect(await readdir(folder)).toEqual([]);
  });

  it('are waited for no longer than the signal says', async () => {
    const store = await opened(await tempDir());
    let end: () => void = () => {};
    let holding: Promise<void> = Promise.resolve();
    await new Promise<void>(begun => {
      holding = store.holdTransfer('one', () => {
        begun();
        return new Promise(resolve => {
          end = resolve;
        });
      });
    });
    const stop = new AbortController();
    const waiting = store.holdTransfer('one', async () => {}, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    end();
    await holding;
  });

  it('stay while somebody is at them, and what the dead have left goes', async () => {
    const root = await tempDir();
    const store = await opened(root);
    const folder = join(root, 'transfers');
    await store.holdTransfer('held', async note => {
      await note.write('text');
      const [held] = await listTransfers(root);
      await removeTransfer(held!.path);
      expect(await note.read()).toBe('text');
    });
    await mkdir(folder, { recursive: true });
    // A lock and a part of a process that is gone.
    await writeFile(join(folder, 'blob-sha256-x'), 'part');
    await writeFile(join(folder, 'blob-sha256-x.lock'), '{"pid":999999999,"realm":"elsewhere","token":"t"}\n');
    const old = new Date(Date.now() - 3_600_000);
    for (const name of await readdir(folder)) await utimes(join(folder, name), old, old);
    expect((await store.usage()).transfers.count).toBe(2);
    expect((await store.prune()).cacheItems).toBe(2);
    expect(await readdir(folder)).toEqual([]);
  });
});
