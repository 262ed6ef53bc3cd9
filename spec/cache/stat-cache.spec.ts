import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StatCache } from '../../src/cache/stat-cache.js';
import type { ContextNotes } from '../../src/content/content.js';
import type { Digest } from '../../src/oci/digest.js';
import { digestAt, digestBytes, setDigest } from '../../src/oci/digest-bytes.js';
import { type HostIdentity, hostIdentity, type IdentityNumbers } from '../../src/tree/host-identity.js';

function memoryNotes(): ContextNotes & { readonly notes: Map<string, Buffer<ArrayBuffer>>; writes: number } {
  const notes = new Map<string, Buffer<ArrayBuffer>>();
  return {
    notes,
    writes: 0,
    getNotes: async key => notes.get(key),
    notesSize: async key => notes.get(key)?.length ?? 0,
    async putNotes(key, payload) {
      this.writes += 1;
      notes.set(key, Buffer.concat(payload));
    },
  };
}

const second = 1_000_000_000n;
const now = 1_700_000_000_000;
const directories = ['/context'];
const digest = (i: number): Digest => `sha256:${i.toString(16).padStart(64, '0')}` as Digest;
const identity = (i: number, change: Partial<IdentityNumbers> = {}): HostIdentity =>
  hostIdentity({
    dev: 1n,
    ino: BigInt(i),
    size: 10n,
    mtimeNs: 1_600_000_000n * second + 5n,
    ctimeNs: 1_600_000_000n * second + 7n,
    mode: 0o100644n,
    ...change,
  });

function add(cache: StatCache, who: HostIdentity, what: Digest): void {
  const digests = Buffer.alloc(3 * digestBytes);
  setDigest(digests, digestBytes, what);
  cache.add(who, digests, digestBytes);
}

function find(cache: StatCache, who: HostIdentity): Digest | undefined {
  const digests = Buffer.alloc(3 * digestBytes);
  return cache.read(who, digests, digestBytes) ? digestAt(digests, digestBytes) : undefined;
}

async function opened(
  notes: ContextNotes,
  options: { directories: readonly string[]; now: number },
): Promise<StatCache> {
  const cache = new StatCache(notes, options);
  await cache.load();
  return cache;
}

async function saved(notes: ContextNotes, rows: ReadonlyArray<readonly [HostIdentity, Digest]>): Promise<void> {
  const cache = await opened(notes, { directories, now });
  for (const [who, what] of rows) add(cache, who, what);
  await cache.save();
}

describe('StatCache', () => {
  it('finds what was noted, by everything that stat says', async () => {
    const notes = memoryNotes();
    await saved(
      notes,
      [1, 2, 3].map(i => [identity(i), digest(i)] as const),
    );
    const cache = await opened(notes, { directories, now });
    expect([1, 2, 3, 4].map(i => find(cache, identity(i)))).toEqual([digest(1), digest(2), digest(3), undefined]);
    const changes: Partial<IdentityNumbers>[] = [
      { dev: 2n },
      { size: 11n },
      { mtimeNs: 1_600_000_000n * second + 6n },
      { ctimeNs: 1_600_000_000n * second + 8n },
      { mode: 0o100755n },
    ];
    for (const change of changes) expect(find(cache, identity(1, change)), Object.keys(change)[0]).toBeUndefined();
  });

  it('keeps nothing of files that changed just now: their times could not tell', async () => {
    const notes = memoryNotes();
    const at = (ms: number): Partial<IdentityNumbers> => ({ ctimeNs: BigInt(now + ms) * 1_000_000n + 3n });
    const rows = [-50, 0, 50, -150].map((ms, i) => [identity(i, at(ms)), digest(i)] as const);
    const whole = { ctimeNs: BigInt(now - 1000) * 1_000_000n };
    await saved(notes, [...rows, [identity(9, whole), digest(9)]]);
    const cache = await opened(notes, { directories, now });
    expect(rows.map(([who]) => find(cache, who))).toEqual([undefined, undefined, undefined, digest(3)]);
    // Whole seconds are a clock that ticks in seconds.
    expect(find(cache, identity(9, whole))).toBeUndefined();
  });

  it('still knows them within the build that read them', async () => {
    const cache = await opened(memoryNotes(), { directories, now });
    const racy = identity(1, { ctimeNs: BigInt(now) * 1_000_000n });
    add(cache, racy, digest(1));
    expect(find(cache, racy)).toBe(digest(1));
  });

  it('writes only when something has changed, and forgets what is gone', async () => {
    const notes = memoryNotes();
    await saved(
      notes,
      [1, 2, 3, 4].map(i => [identity(i), digest(i)] as const),
    );
    const again = await opened(notes, { directories, now });
    for (const i of [1, 2, 3, 4]) find(again, identity(i));
    await again.save();
    expect(notes.writes).toBe(1);
    const later = await opened(notes, { directories, now });
    for (const i of [1, 3, 4]) find(later, identity(i));
    await later.save();
    expect(notes.writes).toBe(2);
    const last = await opened(notes, { directories, now });
    expect([1, 2, 3, 4].map(i => find(last, identity(i)))).toEqual([digest(1), undefined, digest(3), digest(4)]);
  });

  it('keeps many, in their order, wherever in memory they come from', async () => {
    const known = Array.from({ length: 10_000 }, (_, i) => [identity(i + 1), digest(i + 1)] as const);
    const notes = memoryNotes();
    await saved(notes, known);
    const [[key, rows]] = [...notes.notes] as [[string, Buffer<ArrayBuffer>]];
    for (const at of [0, 1, 2, 3, 4]) {
      const memory = Buffer.alloc(at + rows.length);
      rows.copy(memory, at);
      notes.notes.set(key, memory.subarray(at));
      const cache = await opened(notes, { directories, now });
      expect(known.filter(([who, what]) => find(cache, who) !== what)).toEqual([]);
      for (let i = 20_000; i < 25_000; i++) add(cache, identity(i), digest(i));
      for (const i of [20_000, 24_999]) expect(find(cache, identity(i))).toBe(digest(i));
      expect(find(cache, identity(25_000))).toBeUndefined();
      await cache.save();
      const written = notes.notes.get(key)!;
      expect(written.length).toBe((rows.length / 10_000) * 15_000);
      expect(written.subarray(0, rows.length).equals(rows)).toBe(true);
      expect(memory.subarray(at).equals(rows)).toBe(true);
    }
  });

  it('takes what is damaged for nothing', async () => {
    const notes = memoryNotes();
    await saved(notes, [[identity(1), digest(1)]]);
    for (const [key, rows] of notes.notes) notes.notes.set(key, rows.subarray(1));
    const cache = await opened(notes, { directories, now });
    expect(find(cache, identity(1))).toBeUndefined();
  });

  it('keeps contexts apart', async () => {
    const notes = memoryNotes();
    await saved(notes, [[identity(1), digest(1)]]);
    const other = await opened(notes, { directories: ['/other'], now });
    expect(find(other, identity(1))).toBeUndefined();
  });

  it('is a map from identities to digests', async () => {
    const row = fc.record({ ino: fc.bigInt(0n, 2n ** 64n - 1n), size: fc.bigInt(0n, 5n), dev: fc.bigInt(0n, 2n) });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(row, { maxLength: 60, selector: ({ ino, size, dev }) => `${ino} ${size} ${dev}` }),
        async rows => {
          const notes = memoryNotes();
          const known = rows.map((change, i) => [identity(0, change), digest(i)] as const);
          await saved(notes, known);
          const cache = await opened(notes, { directories, now });
          for (const [who, what] of known) expect(find(cache, who)).toBe(what);
        },
      ),
      { numRuns: 50 },
    );
  });
});
