import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HashThread } from '../../src/layer/hash-thread.js';
import type { LayerHashing } from '../../src/layer/layer-hashes.js';
import { sharedBytes } from '../../src/layer/shared-bytes.js';

function thread(usable: boolean): HashThread {
  const made = new HashThread(() => usable);
  onTestFinished(() => made.close());
  return made;
}

const piece = (i: number): Uint8Array => Buffer.from(sharedBytes(100_000 + i).buffer).fill(`piece ${i} `);
const sha256 = (pieces: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const bytes of pieces) hash.update(bytes);
  return hash.digest('hex');
};

async function hashed(hashing: LayerHashing, count: number): Promise<unknown> {
  const updates = [hashing.update({ blob: piece(99) })];
  for (let i = 0; i < count; i++) updates.push(hashing.update({ tar: piece(i), blob: piece(i + 1) }));
  const digests = await hashing.digests();
  await Promise.all(updates);
  return digests;
}

const expected = (count: number) => ({
  tar: sha256(Array.from({ length: count }, (_, i) => piece(i))),
  blob: sha256([piece(99), ...Array.from({ length: count }, (_, i) => piece(i + 1))]),
});

describe('HashThread', () => {
  it('hashes few pieces and many, with a thread and without', async () => {
    for (const usable of [true, false]) {
      const hashes = thread(usable);
      for (const count of [0, 1, 2, 3, 20]) expect(await hashed(hashes.layer(), count)).toEqual(expected(count));
    }
  });

  it('keeps layers apart that are hashed at the same time, and those that are given up', async () => {
    const hashes = thread(true);
    const givenUp = hashes.layer();
    for (let i = 0; i < 5; i++) void givenUp.update({ tar: piece(i) });
    const all = [3, 4, 5].map(count => hashed(hashes.layer(), count));
    givenUp.drop();
    expect(await Promise.all(all)).toEqual([3, 4, 5].map(expected));
  });

  it('lets go of what is given up before anything was done for it', async () => {
    const hashing = thread(true).layer();
    const update = hashing.update({ tar: piece(1) });
    hashing.drop();
    await update;
  });

  it('rejects what it was at when it is closed, and hashes in this thread from then on', async () => {
    const hashes = thread(true);
    const hashing = hashes.layer();
    const updates = [1, 2, 3, 4].map(i => hashing.update({ tar: piece(i) }));
    const closed = hashes.close();
    const results = await Promise.allSettled([...updates, hashing.digests()]);
    expect(results.at(-1)!.status).toBe('rejected');
    await closed;
    expect(await hashed(hashes.layer(), 4)).toEqual(expected(4));
  });
});
