import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decompress } from '../../src/stream/compression.js';

type Compress = (bytes: Uint8Array, options?: object) => Buffer;
/** Only newer versions of Node have it; spec/interop/node-versions.spec.ts is there for all of them. */
const { zstdCompressSync } = zlib as unknown as { readonly zstdCompressSync?: Compress };
if (zstdCompressSync === undefined) process.stderr.write('skipped: decompress zstd: this Node has none\n');

async function unpacked(bytes: Uint8Array, size = 65_536): Promise<Buffer> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(pieces(), 'zstd', 'it')) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** One frame without content size or checksum: a raw block `ab`, and a block of three times `c`. */
const small = Buffer.from('28b52ffd000010000061621b000063', 'hex');

describe.runIf(zstdCompressSync !== undefined)('decompress zstd', () => {
  const text = Buffer.from('the quick brown fox\n'.repeat(60_000));
  const frames = (): Buffer[] => {
    const { ZSTD_c_checksumFlag } = zlib.constants as unknown as Record<string, number>;
    const checked = { params: { [ZSTD_c_checksumFlag!]: 1 } };
    return [
      zstdCompressSync!(text),
      zstdCompressSync!(text.subarray(0, 300), checked),
      zstdCompressSync!(Buffer.alloc(0)),
    ];
  };

  it('reads a frame of each kind of block', async () => {
    expect((await unpacked(small)).toString()).toBe('abccc');
  });

  it('reads frames one behind another, wherever pieces end', async () => {
    const all = Buffer.concat([...frames(), small, ...frames()]);
    const expected = Buffer.concat([text, text.subarray(0, 300), Buffer.from('abccc'), text, text.subarray(0, 300)]);
    for (const size of [1, 7, 1000, all.length]) expect((await unpacked(all, size)).equals(expected)).toBe(true);
  });

  it('passes over skippable frames', async () => {
    const skippable = Buffer.from('5e2a4d1803000000414243', 'hex');
    const empty = Buffer.from('502a4d1800000000', 'hex');
    expect((await unpacked(Buffer.concat([small, skippable, empty, small, skippable]))).toString()).toBe('abcccabccc');
  });

  it.each([
    ['ends in a magic number', small.subarray(0, 3)],
    ['ends in a header', small.subarray(0, 5)],
    ['ends in a block', small.subarray(0, 10)],
    ['ends before its last block', small.subarray(0, 11)],
    ['ends in a second frame', Buffer.concat([small, small.subarray(0, 14)])],
    ['has garbage behind it', Buffer.concat([small, Buffer.from('garbage')])],
    ['has zeros behind it', Buffer.concat([small, Buffer.alloc(512)])],
    ['has a skippable frame that is cut short', Buffer.from('502a4d180400000041', 'hex')],
  ])('refuses what %s', async (_, bytes) => {
    for (const size of [1, 65_536])
      await expect(unpacked(bytes, size)).rejects.toMatchObject({ code: 'CORRUPT_STREAM' });
  });

  it('refuses a wrong checksum', async () => {
    const bytes = Buffer.concat([frames()[1]!, small]);
    bytes[frames()[1]!.length - 1]! ^= 1;
    await expect(unpacked(bytes)).rejects.toMatchObject({ code: 'CORRUPT_STREAM' });
  });

  it('passes on what its source fails with, and closes it', async () => {
    let closed = false;
    async function* failing(): AsyncGenerator<Uint8Array> {
      try {
        yield small.subarray(0, 9);
        throw new Error('the source broke');
      } finally {
        closed = true;
      }
    }
    const reading = (async () => {
      for await (const _ of decompress(failing(), 'zstd', 'it'));
    })();
    await expect(reading).rejects.toThrow('the source broke');
    expect(closed).toBe(true);
  });
});

it.runIf(zstdCompressSync === undefined)('says that this Node cannot read zstd', async () => {
  await expect(unpacked(small)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});
