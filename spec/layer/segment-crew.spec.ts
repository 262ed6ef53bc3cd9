import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { LayerEntry } from '../../src/layer/entry.js';
import { packLayer } from '../../src/layer/pack.js';
import { unplanned } from '../../src/layer/plan-layer.js';
import { SegmentCrew } from '../../src/layer/segment-crew.js';
import type { SharedBytes } from '../../src/layer/shared-bytes.js';
import {
  fileEntry,
  hostEntries,
  hostEntry,
  inThisThread,
  memorySink,
  noLayers,
  openFiles,
  packed,
  tempDir,
} from './layer-files.js';

const crews = [1, 2, 3].map(threads => new SegmentCrew(threads));
afterAll(() => Promise.all(crews.map(crew => crew.close())));

/** How many buffers it has to lend. */
function toLend(crew: SegmentCrew): number {
  const all: SharedBytes[] = [];
  for (let raw = crew.lend(1); raw !== undefined; raw = crew.lend(1)) all.push(raw);
  expect(all.every(raw => crew.takeBack(raw))).toBe(true);
  return all.length;
}

/** Some MiB of files that compress like text, in many segments, and one that is cut into pieces. */
function tree(folder: string): string {
  for (let i = 0; i < 300; i++) {
    mkdirSync(join(folder, `d${i % 7}`), { recursive: true });
    writeFileSync(join(folder, `d${i % 7}`, `f${i}`), `line ${i}\n`.repeat((i * 37) % 4000));
  }
  writeFileSync(join(folder, 'large'), Buffer.alloc(3_500_000, 'large file '));
  writeFileSync(join(folder, 'none'), '');
  return folder;
}

describe('SegmentCrew', () => {
  it('makes the same bytes with any number of threads', async () => {
    const entries = [...hostEntries(tree(tempDir())), fileEntry('zz', 'in memory')];
    for (const compression of ['gzip', 'none'] as const) {
      const alone = await packed(entries, { compression, crew: inThisThread });
      expect(alone.index.entries.length).toBe(entries.length);
      for (const crew of crews) {
        const { blob, diffId, index } = await packed(entries, { compression, crew });
        expect({ blob, diffId, index }).toEqual({ blob: alone.blob, diffId: alone.diffId, index: alone.index });
      }
    }
  });

  it('hands over what is compressed to few bytes or to many', async () => {
    // Node keeps small buffers together, up to a size that differs between versions; such cannot change threads.
    const folder = tempDir();
    for (let i = 0; i < 60; i++) {
      const noise = Buffer.from(
        Array.from({ length: i * 1200 }, (_, k) => (Math.imul(k + 7, 2654435761) >>> 13) & 255),
      );
      writeFileSync(join(folder, `f${i}`), Buffer.concat([noise, Buffer.alloc(700_000)]));
    }
    const entries = hostEntries(folder);
    for (const level of [1, 6]) {
      expect((await packed(entries, { level, crew: crews[1]! })).blob).toEqual((await packed(entries, { level })).blob);
    }
  });

  it('serves several layers at the same time', async () => {
    const entries = hostEntries(tree(tempDir()));
    const alone = await packed(entries);
    const together = await Promise.all([1, 2, 3, 4].map(() => packed(entries, { crew: crews[1]! })));
    for (const one of together) expect(one.blob).toEqual(alone.blob);
  });

  it('names the file that changed, shrank or went away, whichever thread read it', async () => {
    const changes: Array<(path: string) => void> = [
      path => writeFileSync(path, 'x'.repeat(5000)),
      path => truncateSync(path, 10),
      path => truncateSync(path, 100_000),
      path => rmSync(path),
      path => {
        rmSync(path);
        mkdirSync(path);
      },
    ];
    // All threads are there then.
    await packed(hostEntries(tree(tempDir())), { crew: crews[1]! });
    for (const change of changes) {
      const buffers = toLend(crews[1]!);
      const folder = tree(tempDir());
      const path = join(folder, 'd3', 'f143');
      const entries = hostEntries(folder);
      change(path);
      const result = packed(entries, { crew: crews[1]! });
      await expect(result).rejects.toMatchObject({ code: 'FILE_CHANGED', details: { path } });
      expect(toLend(crews[1]!)).toBe(buffers);
      expect(openFiles().filter(name => name.startsWith(folder))).toEqual([]);
    }
  });

  it('says what the system says of a file that may not be read', async () => {
    const folder = tempDir();
    const path = join(folder, 'f');
    writeFileSync(path, 'x');
    const [entry] = [hostEntry('f', path)];
    const node = (entry as { node: { content: { path: string } } }).node;
    const long = `${folder}/${'n'.repeat(300)}`;
    const unreadable = { path: 'f', node: { ...node, content: { ...node.content, path: long } } } as LayerEntry;
    await expect(packed([unreadable], { crew: crews[1]! })).rejects.toMatchObject({
      code: 'IO',
      details: { path: long, errno: 'ENAMETOOLONG' },
    });
  });

  it('stops in the middle and does nothing more', async () => {
    const crew = new SegmentCrew(2);
    onTestFinished(() => crew.close());
    const folder = tree(tempDir());
    const controller = new AbortController();
    const sink = memorySink();
    const onProgress = (): void => controller.abort(new Error('enough'));
    const options = { read: noLayers, crew, signal: controller.signal, onProgress };
    await expect(packLayer(unplanned(hostEntries(folder)), sink, options)).rejects.toThrow('enough');
    const written = sink.bytes().length;
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(sink.bytes().length).toBe(written);
    expect(openFiles().filter(name => name.startsWith(folder))).toEqual([]);
    // The crew is as good as before.
    const buffers = toLend(crew);
    expect(buffers).toBeGreaterThan(8);
    expect((await packed(hostEntries(folder), { crew })).blob).toEqual((await packed(hostEntries(folder))).blob);
    expect(toLend(crew)).toBe(buffers);
  });

  it.each([true, false])(
    'rejects what it is at when it is closed, and what comes later (threads: %s)',
    async threads => {
      const crew = new SegmentCrew(2);
      const folder = tree(tempDir());
      if (threads) await packed(hostEntries(folder), { crew });
      // Far more than can be under way when the first piece of it is done.
      writeFileSync(join(folder, 'huge'), Buffer.alloc(64_000_000, 'huge file '));
      const packing = packed(hostEntries(folder), { crew, onProgress: () => void crew.close() });
      await expect(packing).rejects.toThrow('closed');
      await expect(packed(hostEntries(folder), { crew })).rejects.toThrow('closed');
    },
  );
});
