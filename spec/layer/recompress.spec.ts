import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ContentReader } from '../../src/layer/content-reader.js';
import { layerEntries } from '../../src/layer/layer-entries.js';
import { type RecompressOptions, recompress } from '../../src/layer/recompress.js';
import { SegmentCrew } from '../../src/layer/segment-crew.js';
import { digestOf } from '../../src/oci/digest.js';
import { decompress } from '../../src/stream/compression.js';
import { fileEntry, folderEntry, inThisThread, memorySink, packed, symlinkEntry } from './layer-files.js';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function recompressed(bytes: Uint8Array, size: number, options: Partial<RecompressOptions> = {}) {
  const sink = memorySink();
  const result = await recompress(pieces(bytes, size), sink, { crew: inThisThread, ...options });
  return { ...result, bytes: sink.bytes() };
}

describe('recompress', () => {
  const tar = Buffer.concat([randomBytes(1_300_000), Buffer.alloc(1_000_000, 'lading '), randomBytes(77)]);

  it('gives the same blob however the bytes come in', async () => {
    const first = await recompressed(tar, tar.length);
    expect(first.diffId).toBe(digestOf(tar));
    expect(first.size).toBe(tar.length);
    expect(first.blob).toMatchObject({ digest: digestOf(first.bytes), size: first.bytes.length });
    expect(gunzipSync(first.bytes).equals(tar)).toBe(true);
    for (const [size, threads] of [
      [1, 0],
      [65_536, 2],
      [1024 * 1024, 1],
      [1024 * 1024 + 1, 3],
    ] as const) {
      const source = size === 1 ? tar.subarray(0, 5000) : tar;
      const expected = size === 1 ? await recompressed(source, source.length) : first;
      const crew = new SegmentCrew(threads);
      expect((await recompressed(source, size, { crew })).bytes.equals(expected.bytes)).toBe(true);
      await crew.close();
    }
  });

  it('takes nothing, and takes compression away', async () => {
    const none = await recompressed(tar, 5000, { compression: 'none' });
    expect(none.bytes.equals(tar)).toBe(true);
    expect(none.blob.digest).toBe(none.diffId);
    expect(none.segments).toBeUndefined();
    expect(gunzipSync((await recompressed(Buffer.alloc(0), 1)).bytes)).toHaveLength(0);
  });

  it('ends with the source, and leaves no work behind', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield tar;
      throw new Error('the source is gone');
    }
    await expect(recompress(failing(), memorySink(), { crew: inThisThread })).rejects.toThrow('the source is gone');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(recompress(pieces(tar, 1000), memorySink(), { crew: inThisThread, signal })).rejects.toThrow('enough');
  });
});

describe('layerEntries', () => {
  it('packs a layer again to what it would be if it had been packed so at first', async () => {
    const large = randomBytes(3_000_000);
    const entries = [
      folderEntry('a', 0o700),
      fileEntry('a/large', large),
      fileEntry('a/small', 'small', { mode: 0o4755, uid: 7, gid: 8, mtime: -5 }),
      { path: 'a/linked', hardlink: 'a/small' },
      fileEntry('capable', 'x', { xattrs: { 'security.capability': '\u0001\u0000\u0000\u0002' } }),
      symlinkEntry('link', 'a/small'),
      { path: 'gone', whiteout: true as const },
      { path: 'pipe', node: { type: 'fifo' as const, mode: 0o644, uid: 0, gid: 0, mtime: 1 } },
      { path: 'null', node: { type: 'character' as const, mode: 0o666, uid: 0, gid: 0, mtime: 1, major: 1, minor: 3 } },
    ];
    const plain = await packed(entries, { compression: 'none' });
    const layer = { diffId: plain.diffId, blob: plain.blob };
    const read: ContentReader = async ({ offset }, size) =>
      Readable.from([plain.bytes.subarray(offset, offset + size)], { objectMode: false });
    for (const level of [1, 9]) {
      const direct = await packed(entries, { level });
      const again = await packed(layerEntries(plain.index, layer), { level, read });
      expect(again.blob).toEqual(direct.blob);
      expect(again.diffId).toBe(plain.diffId);
    }
  });

  it('is for layers that were packed here', async () => {
    const { index, diffId, blob } = await packed([]);
    const foreign = { ...index, entries: [{ type: 'opaque', path: 'a' } as const] };
    expect(() => layerEntries(foreign, { diffId, blob })).toThrow('opaque');
  });
});

it('reads back what it wrote', async () => {
  const bytes = randomBytes(100_000);
  const { bytes: blob } = await recompressed(bytes, 999);
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(pieces(blob, 1000), 'gzip', 'a blob')) chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
});
