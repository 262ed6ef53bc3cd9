import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSeekable, openSegmentRange, type SeekableLayer } from '../../src/layer/open-range.js';
import { SegmentCache } from '../../src/layer/segment-cache.js';
import { readCapped } from '../../src/stream/read-capped.js';
import { fileEntry, packed } from './layer-files.js';

const pattern = Buffer.from(Array.from({ length: 3_300_000 }, (_, i) => (i * i) >>> 7));
const entries = [
  ...Array.from({ length: 200 }, (_, i) => fileEntry(`f${i}`, pattern.subarray(i, i + i * 130))),
  fileEntry('large', pattern),
];

interface Opened extends SeekableLayer {
  readonly tar: Buffer;
  readonly reads: Array<readonly [number, number]>;
}

async function layerOf(compression: 'gzip' | 'none'): Promise<Opened> {
  const { bytes, index } = await packed(entries, { compression, level: 1 });
  const reads: Array<readonly [number, number]> = [];
  return {
    compression,
    index,
    blobSize: bytes.length,
    tar: compression === 'gzip' ? gunzipSync(bytes) : bytes,
    reads,
    readBlob: async (start, end) => {
      reads.push([start, end]);
      return bytes.subarray(start, end);
    },
  };
}

const read = (layer: SeekableLayer, offset: number, length: number, cache?: SegmentCache): Promise<Buffer> =>
  readCapped(openSegmentRange(layer, offset, length, { cache }), Number.MAX_SAFE_INTEGER, 'range');

describe.each(['gzip', 'none'] as const)('openSegmentRange of a layer with compression %s', compression => {
  it('equals the slice of the tar', async () => {
    const layer = await layerOf(compression);
    expect(isSeekable(compression, layer.index)).toBe(true);
    const range = fc
      .tuple(fc.nat(layer.tar.length), fc.oneof(fc.nat(5000), fc.nat(layer.tar.length)))
      .map(([offset, length]) => [offset, Math.min(length, layer.tar.length - offset)] as const);
    const cache = new SegmentCache(2);
    await fc.assert(
      fc.asyncProperty(range, fc.boolean(), async ([offset, length], cached) => {
        const bytes = await read(layer, offset, length, cached ? cache : undefined);
        expect(bytes.equals(layer.tar.subarray(offset, offset + length))).toBe(true);
      }),
      {
        numRuns: 40,
        examples: [
          [[0, layer.tar.length], false],
          [[layer.tar.length, 0], false],
          [[0, 0], true],
        ],
      },
    );
  });

  it('reads no more than it needs', async () => {
    const layer = await layerOf(compression);
    for (const { offset } of layer.index.segments ?? []) expect(offset % 512).toBe(0);
    layer.reads.length = 0;
    await read(layer, layer.tar.length - 2000, 10);
    expect(layer.reads).toHaveLength(1);
    expect(layer.reads[0]![0]).toBeGreaterThan(0);
  });

  it('fails rather than give wrong bytes when the blob is damaged', async () => {
    const layer = await layerOf(compression);
    const short: SeekableLayer = { ...layer, readBlob: async () => new Uint8Array(0) };
    await expect(read(short, 0, 1000)).rejects.toMatchObject({ code: 'CORRUPT_STREAM' });
  });

  it('can be aborted', async () => {
    const layer = await layerOf(compression);
    const controller = new AbortController();
    const stream = openSegmentRange(layer, 0, layer.tar.length, { signal: controller.signal });
    controller.abort();
    await expect(readCapped(stream, 2 ** 40, 'x')).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('openSegmentRange', () => {
  it('refuses damaged segments and maps', async () => {
    const layer = await layerOf('gzip');
    const { segments } = layer.index;
    const noise: SeekableLayer = { ...layer, readBlob: async (start, end) => Buffer.alloc(end - start, 0xff) };
    const maps = [
      [],
      segments!.slice(1),
      segments!.map(segment => ({ ...segment, blobOffset: 10 })),
      segments!.map(segment => ({ ...segment, offset: 0 })),
      [{ ...segments![0]!, blobOffset: 2 ** 50 }],
    ];
    await expect(read(noise, 0, 10)).rejects.toMatchObject({ code: 'CORRUPT_STREAM' });
    for (const map of maps) {
      const damaged = { ...layer, index: { ...layer.index, segments: map } };
      await expect(read(damaged, 0, layer.tar.length).then(bytes => bytes.length)).rejects.toMatchObject({
        code: 'CORRUPT_STREAM',
      });
    }
    expect(isSeekable('gzip', { segments: undefined })).toBe(false);
    expect(() => openSegmentRange(layer, layer.tar.length, 1)).toThrow('not in the layer');
  });

  it('inflates a segment once for files one after another', async () => {
    const layer = await layerOf('gzip');
    const cache = new SegmentCache();
    await Promise.all(Array.from({ length: 20 }, (_, i) => read(layer, i * 512, 512, cache)));
    expect(layer.reads).toHaveLength(1);
  });

  it('does not keep failures', async () => {
    const layer = await layerOf('gzip');
    const cache = new SegmentCache();
    const broken: SeekableLayer = { ...layer, readBlob: () => Promise.reject(new Error('disk')) };
    await expect(read(broken, 0, 10, cache)).rejects.toThrow('disk');
    expect(await read(layer, 0, 10, cache)).toHaveLength(10);
  });
});
