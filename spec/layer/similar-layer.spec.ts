import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LayerEntry } from '../../src/layer/entry.js';
import { hashFiles } from '../../src/layer/hash-files.js';
import { tailSize } from '../../src/layer/segment-format.js';
import { type SimilarLayer, similarLayer } from '../../src/layer/similar-layer.js';
import { hostEntries, inThisThread, packed, tempDir } from './layer-files.js';

function tree(folder: string): string {
  for (let i = 0; i < 400; i++) {
    mkdirSync(join(folder, `d${i % 9}`), { recursive: true });
    writeFileSync(join(folder, `d${i % 9}`, `f${i}`), `${i}: some text\n`.repeat((i * 53) % 1500));
  }
  writeFileSync(join(folder, 'large'), Buffer.alloc(2_500_000, 'large file '));
  return folder;
}

/** With the digests of the files, as the stat cache would know them. */
async function digested(entries: readonly LayerEntry[]): Promise<LayerEntry[]> {
  return await Promise.all(
    entries.map(async entry => {
      if (!('node' in entry) || entry.node.type !== 'file' || entry.node.content.kind !== 'host') return entry;
      const { size, content } = entry.node;
      const [digest] = await hashFiles([{ size, content }], inThisThread);
      return { path: entry.path, node: { ...entry.node, digest } };
    }),
  );
}

async function stored(entries: readonly LayerEntry[]) {
  const layer = await packed(entries);
  const path = join(tempDir(), 'blob');
  writeFileSync(path, layer.bytes);
  const similar = similarLayer(path, layer.index.segments!, layer.bytes.length - tailSize('gzip'));
  return { layer, path, similar };
}

/** How many segments are asked for, and how many are found. */
function counted(similar: SimilarLayer): SimilarLayer & { asked: number; found: number } {
  const counts = {
    asked: 0,
    found: 0,
    find: (key: string) => {
      counts.asked += 1;
      const found = similar.find(key);
      if (found !== undefined) counts.found += 1;
      return found;
    },
  };
  return counts;
}

describe('a layer like one that is there', () => {
  it('takes all segments over when nothing has changed, and opens no file', async () => {
    const folder = tree(tempDir());
    const entries = await digested(hostEntries(folder));
    const { layer, similar } = await stored(entries);
    rmSync(folder, { recursive: true });
    const seen = counted(similar);
    const again = await packed(entries, { similar: seen });
    expect(again.blob).toEqual(layer.blob);
    expect(again.index).toEqual(layer.index);
    expect(seen.found).toBe(layer.index.segments!.length);
  });

  it('makes only the segments near a change, and the bytes of a fresh build', async () => {
    const folder = tree(tempDir());
    const { similar } = await stored(await digested(hostEntries(folder)));
    appendFileSync(join(folder, 'd4', 'f103'), 'more');
    const entries = await digested(hostEntries(folder));
    const seen = counted(similar);
    const again = await packed(entries, { similar: seen });
    const fresh = await packed(entries);
    expect(again.blob).toEqual(fresh.blob);
    expect(again.index).toEqual(fresh.index);
    expect(seen.found).toBeGreaterThanOrEqual(seen.asked - 3);
    expect(seen.found).toBeLessThan(seen.asked);
  });

  it('does not take over what is damaged, cut, or gone', async () => {
    const folder = tree(tempDir());
    const entries = await digested(hostEntries(folder));
    const { layer, path, similar } = await stored(entries);
    const whole = readFileSync(path);
    const damages: Array<() => void> = [
      () =>
        writeFileSync(
          path,
          whole.map((byte, i) => (i % 1000 === 500 ? byte ^ 1 : byte)),
        ),
      () => writeFileSync(path, whole.subarray(0, whole.length / 2)),
      () => writeFileSync(path, ''),
      () => rmSync(path),
    ];
    for (const damage of damages) {
      damage();
      expect((await packed(entries, { similar })).blob).toEqual(layer.blob);
    }
  });

  it('does not take over other segments, whole as they may be', async () => {
    const folder = tree(tempDir());
    const entries = await digested(hostEntries(folder));
    const { layer } = await stored(entries);
    const other = tree(tempDir());
    for (let i = 0; i < 400; i++)
      writeFileSync(join(other, `d${i % 9}`, `f${i}`), `${i}: other txt\n`.repeat((i * 53) % 1500));
    const { layer: wrong, path } = await stored(await digested(hostEntries(other)));
    const places = layer.index.segments!.map((segment, i) => {
      return { ...segment, blobOffset: wrong.index.segments![i]!.blobOffset };
    });
    const similar = similarLayer(path, places, wrong.bytes.length - tailSize('gzip'));
    expect((await packed(entries, { similar })).blob).toEqual(layer.blob);
  });

  it('takes nothing over from a layer of another level', async () => {
    const entries = await digested(hostEntries(tree(tempDir())));
    const { similar } = await stored(entries);
    const seen = counted(similar);
    expect((await packed(entries, { similar: seen, level: 1 })).blob).toEqual(
      (await packed(entries, { level: 1 })).blob,
    );
    expect(seen.found).toBe(0);
  });
});

describe('hashFiles', () => {
  it('hashes as many as there are, large ones too, in their order', async () => {
    const folder = tree(tempDir());
    const entries = hostEntries(folder).filter(entry => 'node' in entry && entry.node.type === 'file');
    const files = entries.map(entry => {
      if (!('node' in entry) || entry.node.type !== 'file' || entry.node.content.kind !== 'host')
        throw new Error('file');
      return { size: entry.node.size, content: entry.node.content };
    });
    const { index } = await packed(entries);
    const digests = index.entries.map(entry => (entry.type === 'file' ? entry.digest : undefined));
    expect(await hashFiles(files, inThisThread)).toEqual(digests);
  });

  it('refuses a file that is not the one that was listed', async () => {
    const folder = tempDir();
    const path = join(folder, 'f');
    writeFileSync(path, 'one');
    const [entry] = hostEntries(folder);
    if (entry === undefined || !('node' in entry) || entry.node.type !== 'file') throw new Error('file');
    const { size, content } = entry.node;
    if (content.kind !== 'host') throw new Error('host');
    const { mtime } = statSync(path);
    cpSync(path, `${path}2`);
    renameSync(`${path}2`, path);
    utimesSync(path, mtime, mtime);
    await expect(hashFiles([{ size, content }], inThisThread)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });
});
