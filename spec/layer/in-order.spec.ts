import { describe, expect, it } from 'vitest';
import { inOrder, type Lender } from '../../src/layer/in-order.js';
import { type SharedBytes, sharedBytes } from '../../src/layer/shared-bytes.js';

/** So many buffers, and those of them that are there. */
function lender(count: number): Lender & { readonly there: Set<SharedBytes>; readonly all: readonly SharedBytes[] } {
  const all = Array.from({ length: count }, () => sharedBytes(16));
  const there = new Set(all);
  return {
    all,
    there,
    lend: () => {
      const [raw] = there;
      if (raw !== undefined) there.delete(raw);
      return raw;
    },
    takeBack: raw => {
      if (!all.includes(raw)) return false;
      if (there.has(raw)) throw new Error('given back twice');
      there.add(raw);
      return true;
    },
  };
}

const items = Array.from({ length: 20 }, (_, i) => i);
const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

describe('inOrder', () => {
  it.each([0, 2, 100])('gives results in order, each in a buffer of its own, with %s to borrow', async count => {
    const buffers = lender(count);
    const busy = new Set<SharedBytes>();
    const start = async (item: number, raw: SharedBytes) => {
      if (busy.has(raw)) throw new Error('somebody else has it');
      busy.add(raw);
      raw.fill(item);
      // What comes later is done sooner.
      return { result: wait(items.length - item).then(() => ({ raw, item })) };
    };
    const kept: Array<() => void> = [];
    const seen: number[] = [];
    for await (const { result, release } of inOrder(items, start, { limit: 4, capacity: 16, buffers })) {
      expect([...result.raw]).toEqual(Array.from({ length: 16 }, () => result.item));
      seen.push(result.item);
      kept.push(() => {
        busy.delete(result.raw);
        release();
      });
      // Used for a while still.
      if (kept.length > 3) kept.shift()!();
    }
    expect(seen).toEqual(items);
    for (const release of kept) release();
    expect(buffers.there.size).toBe(count);
  });

  it('gives back all that it has borrowed when it ends early, once what is under way is done', async () => {
    const buffers = lender(10);
    let working = 0;
    const start = async (item: number, raw: SharedBytes) => {
      if (item === 15) throw new Error('cannot begin');
      working += 1;
      const result = wait(5).then(() => {
        working -= 1;
        if (item === 9) throw new Error('cannot end');
        return { raw, item };
      });
      return { result };
    };
    const options = { limit: 4, capacity: 16, buffers };
    const upTo = async (last: number, from: readonly number[]): Promise<void> => {
      const releases: Array<() => void> = [];
      try {
        for await (const { result, release } of inOrder(from, start, options)) {
          releases.push(release);
          if (result.item === last) return;
        }
      } finally {
        expect(working).toBe(0);
        expect(buffers.there.size).toBe(10);
        // Late, and once more: it has been given back.
        for (const release of releases) release();
        expect(buffers.there.size).toBe(10);
      }
    };
    await upTo(5, items);
    await expect(upTo(19, items)).rejects.toThrow('cannot end');
    await expect(upTo(19, items.slice(11))).rejects.toThrow('cannot begin');
    await expect(upTo(19, items.slice(9, 10))).rejects.toThrow('cannot end');
  });
});
