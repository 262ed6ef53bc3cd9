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
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LayerEntry } from '../../src/layer/entry.js';
import { sha256 } from '../../src/layer/file-digest.js';
import { hashFiles } from '../../src/layer/hash-files.js';
import { type LayerPlan, type PlannedSegment, planLayer, readDigestBy } from '../../src/layer/plan-layer.js';
import { SegmentCrew } from '../../src/layer/segment-crew.js';
import { segmentFormat, tailSize } from '../../src/layer/segment-format.js';
import { type SimilarLayer, similarLayer } from '../../src/layer/similar-layer.js';
import { UnusableSegment } from '../../src/layer/unusable-segment.js';
import type { Digest } from '../../src/oci/digest.js';
import { encodeLayerIndex } from '../../src/store/layer-index-codec.js';
import type { LayerIndex } from '../../src/tree/layer-index.js';
import type { FileNode } from '../../src/tree/node.js';
import {
  fileEntry,
  folderEntry,
  hostEntries,
  inThisThread,
  owner,
  packed,
  packedSegments,
  rowsOf,
  symlinkEntry,
  tempDir,
} from './layer-files.js';

function tree(folder: string): string {
  for (let i = 0; i < 400; i++) {
    mkdirSync(join(folder, `d${i % 9}`), { recursive: true });
    writeFileSync(join(folder, `d${i % 9}`, `f${i}`), `${i}: some text\n`.repeat((i * 53) % 1500));
  }
  writeFileSync(join(folder, 'large'), Buffer.alloc(2_500_000, 'large file '));
  return folder;
}

/** The digest of a file, as the stat cache would know it. */
const digestOf = ({ content }: FileNode): Digest =>
  sha256(content.kind === 'bytes' ? content.bytes : readFileSync(pathOf({ content })));

const pathOf = ({ content }: Pick<FileNode, 'content'>): string => (content as { path: string }).path;

const gzip = segmentFormat('gzip');

async function planned(
  entries: readonly LayerEntry[],
  similar?: SimilarLayer,
  recipe = gzip.recipe,
): Promise<LayerPlan> {
  return (await planLayer(entries, { recipe, similar, readDigest: readDigestBy(digestOf) }))!;
}

function counts(plan: LayerPlan): { readonly taken: number; readonly made: number } {
  const segments = [...plan.segments()];
  const taken = segments.filter(segment => 'stored' in segment).length;
  return { taken, made: segments.length - taken };
}

async function stored(entries: readonly LayerEntry[]) {
  const layer = await packed(entries);
  const path = join(tempDir(), 'blob');
  writeFileSync(path, layer.bytes);
  const end = layer.bytes.length - tailSize('gzip');
  return { layer, path, end, similar: similarLayer(path, end, layer.index.segments!, rowsOf(layer)) };
}

function encoded(index: LayerIndex): Buffer {
  const pieces: Uint8Array[] = [];
  encodeLayerIndex(index, bytes => pieces.push(bytes));
  return Buffer.concat(pieces);
}

describe('a layer like one that is there', () => {
  it('takes all segments over when nothing has changed, and opens no file', async () => {
    const folder = tree(tempDir());
    const entries = hostEntries(folder);
    const { layer, similar } = await stored(entries);
    const plan = await planned(entries, similar);
    rmSync(folder, { recursive: true });
    expect(plan.contents).toBe(layer.contents);
    expect(counts(plan)).toEqual({ taken: layer.index.segments!.length, made: 0 });
    const again = await packedSegments(plan.segments());
    expect(again).toEqual(layer);
  });

  it('takes them over with any number of threads, and where the one that asks helps', async () => {
    const folder = tree(tempDir());
    for (let i = 0; i < 30; i++) writeFileSync(join(folder, `more${i}`), `${i} more text\n`.repeat(60_000));
    const entries = hostEntries(folder);
    const { layer, similar } = await stored(entries);
    const plan = await planned(entries, similar);
    expect(counts(plan).taken).toBeGreaterThan(20);
    for (const threads of [1, 2, 3]) {
      const crew = new SegmentCrew(threads);
      onTestFinished(() => crew.close());
      for (let time = 0; time < 3; time++) expect(await packedSegments(plan.segments(), { crew })).toEqual(layer);
    }
  });

  it('makes only the segments near a change, and the bytes of a fresh build', async () => {
    const folder = tree(tempDir());
    const { similar } = await stored(hostEntries(folder));
    appendFileSync(join(folder, 'd4', 'f103'), 'more');
    const entries = hostEntries(folder);
    const plan = await planned(entries, similar);
    const { taken, made } = counts(plan);
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThanOrEqual(3);
    expect(taken).toBeGreaterThan(3);
    expect(await packedSegments(plan.segments())).toEqual(await packed(entries));
    expect(await packedSegments(plan.anew())).toEqual(await packed(entries));
  });

  it('tells apart what is told by headers alone', async () => {
    const large = fileEntry('large', Buffer.alloc(2_500_000, 'large file '));
    const attributes = (value: string): LayerEntry => fileEntry('x', 'x', { xattrs: { 'security.capability': value } });
    const link = (mode: number): LayerEntry => ({ path: 'y', hardlink: 'below', metadata: { mode, ...owner } });
    const variants: LayerEntry[][] = [
      [large],
      [{ ...large, path: 'renamed' }],
      [fileEntry('large', Buffer.alloc(2_500_000, 'large file '), { mode: 0o600 })],
      [fileEntry('large', Buffer.alloc(2_500_001, 'large file '))],
      [large, attributes('a')],
      [large, attributes('b')],
      [large, link(0o644)],
      [large, link(0o755)],
      [large, symlinkEntry('y', 'a')],
      [large, symlinkEntry('y', 'b')],
      [large, folderEntry('y')],
      [large, { path: 'y', whiteout: true }],
    ];
    const contents = new Set<string>();
    for (const [i, entries] of variants.entries()) {
      const { similar, layer } = await stored(entries);
      contents.add(layer.contents);
      const next = variants[(i + 1) % variants.length]!;
      const plan = await planned(next, similar);
      expect(await packedSegments(plan.segments())).toEqual(await packed(next));
      expect(counts(await planned(entries, similar)).made).toBe(0);
    }
    expect(contents.size).toBe(variants.length);
  });

  it('makes a large file whole of which a piece is missing', async () => {
    const entries = [
      fileEntry('a', 'a'),
      fileEntry('large', Buffer.alloc(3_500_000, 'large file ')),
      fileEntry('z', 'z'),
    ];
    const { layer, path, end } = await stored(entries);
    for (let missing = 0; missing < layer.index.segments!.length; missing++) {
      const segments = layer.index.segments!.map((segment, i) => (i === missing ? { ...segment, key: '' } : segment));
      const plan = await planned(entries, similarLayer(path, end, segments, rowsOf(layer)));
      expect(counts(plan).taken).toBe([5, 2, 2, 2, 2, 5][missing]);
      expect(await packedSegments(plan.segments())).toEqual(layer);
    }
  });

  it('walks again for segments that were too many to keep', async () => {
    const entries = Array.from({ length: 30_000 }, (_, i) => fileEntry(`f${String(i).padStart(6, '0')}`, `${i % 10}`));
    const changed = entries.with(29_999, fileEntry('f029999', 'changed'));
    const { similar } = await stored(entries.slice(25_000));
    const plan = await planned(changed, similar);
    expect(counts(plan).taken).toBeGreaterThan(0);
    const { blob, index } = await packedSegments(plan.segments());
    const fresh = await packed(changed);
    expect(blob).toEqual(fresh.blob);
    const [one, other] = [index, fresh.index].map(encoded);
    expect(one!.equals(other!)).toBe(true);
  });

  it('learns the digests that it needs, and plans nothing where it may not', async () => {
    const entries = hostEntries(tree(tempDir()));
    const { layer, similar } = await stored(entries);
    const known = new Map<string, Digest>();
    const lookUp = (file: FileNode): Digest | undefined => known.get(pathOf(file));
    const options = { recipe: gzip.recipe, similar, readDigest: readDigestBy(lookUp) };
    expect(await planLayer(entries, options)).toBeUndefined();
    const learn = async (unknown: readonly FileNode[]): Promise<void> => {
      for (const file of unknown) known.set(pathOf(file), digestOf(file));
    };
    const plan = await planLayer(entries, { ...options, learn });
    expect(plan!.contents).toBe(layer.contents);
  });

  it('tells of the first segments before it is planned, of none that may still be made instead', async () => {
    const folder = tree(tempDir());
    const { similar } = await stored(hostEntries(folder));
    const told = async (without?: string, learned = false): Promise<readonly [number, number]> => {
      const segments: PlannedSegment[] = [];
      const known = new Set<string>();
      const plan = (await planLayer(hostEntries(folder), {
        recipe: gzip.recipe,
        similar: { find: key => (key === without ? undefined : similar.find(key)) },
        readDigest: readDigestBy(file => (learned && !known.has(pathOf(file)) ? undefined : digestOf(file))),
        learn: async unknown => {
          for (const file of unknown) known.add(pathOf(file));
        },
        onSegment: segment => segments.push(segment),
      }))!;
      const all = [...plan.segments()];
      expect(segments).toEqual(all.slice(0, segments.length));
      return [segments.length, all.length];
    };
    const [count, total] = await told();
    expect(count).toBe(total);
    await told(undefined, true);
    const plan = await planned(hostEntries(folder), similar);
    const keys = [...plan.segments()].map(segment => ('stored' in segment ? segment.key : ''));
    for (const key of keys) await told(key);
    writeFileSync(join(folder, 'd0', 'f0'), 'changed');
    expect((await told())[0]).toBeGreaterThan(1);
    for (const [i, entry] of hostEntries(folder).entries()) {
      if ('node' in entry && entry.node.type === 'file')
        writeFileSync((entry.node.content as { path: string }).path, `changed ${i}`.repeat(20_000));
    }
    const [few, many] = await told();
    expect(few).toBeLessThan(many);
  });

  it('fails for a file that is not what the plan says', async () => {
    const folder = tree(tempDir());
    const entries = hostEntries(folder);
    const readDigest = readDigestBy(() => sha256(Buffer.from('other')));
    const plan = await planLayer(entries, { recipe: gzip.recipe, readDigest });
    await expect(packedSegments(plan!.segments())).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  it('does not take over what is damaged, cut, or gone', async () => {
    const entries = hostEntries(tree(tempDir()));
    const { layer, path, similar } = await stored(entries);
    const whole = readFileSync(path);
    const damages: Array<() => void> = [
      () =>
        writeFileSync(
          path,
          whole.map((byte, i) => (i % 1000 === 500 ? byte ^ 1 : byte)),
        ),
      () => writeFileSync(path, whole.with(whole.length / 2, whole[whole.length / 2]! ^ 1)),
      () => writeFileSync(path, whole.subarray(0, whole.length / 2)),
      () => writeFileSync(path, ''),
      () => rmSync(path),
    ];
    for (const damage of damages) {
      damage();
      const plan = await planned(entries, similar);
      await expect(packedSegments(plan.segments())).rejects.toThrow(UnusableSegment);
      expect((await packedSegments(plan.anew())).blob).toEqual(layer.blob);
    }
  });

  it('does not take over other segments, whole as they may be', async () => {
    const entries = hostEntries(tree(tempDir()));
    const { layer } = await stored(entries);
    const other = tree(tempDir());
    for (let i = 0; i < 400; i++)
      writeFileSync(join(other, `d${i % 9}`, `f${i}`), `${i}: other txt\n`.repeat((i * 53) % 1500));
    const { layer: wrong, path, end } = await stored(hostEntries(other));
    const places = layer.index.segments!.map((segment, i) => {
      return { ...segment, blobOffset: wrong.index.segments![i]!.blobOffset };
    });
    const similar = similarLayer(path, end, places, rowsOf(layer));
    const plan = await planned(entries, similar);
    await expect(packedSegments(plan.segments())).rejects.toThrow(UnusableSegment);
  });

  it('takes nothing over of which the index knows nothing, or something else', async () => {
    const entries = hostEntries(tree(tempDir()));
    const { layer, path, end } = await stored(entries);
    const { segments, size } = rowsOf(layer);
    const shorter = new Map([...segments].map(([offset, piece]) => [offset, { ...piece, size: piece.size - 512 }]));
    for (const rows of [new Map(), shorter]) {
      const similar = similarLayer(path, end, layer.index.segments!, { size, segments: rows });
      expect(counts(await planned(entries, similar)).taken).toBe(0);
    }
  });

  it('takes nothing over from a layer of another level', async () => {
    const entries = hostEntries(tree(tempDir()));
    const { similar } = await stored(entries);
    expect(counts(await planned(entries, similar, segmentFormat('gzip', 1).recipe)).taken).toBe(0);
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
