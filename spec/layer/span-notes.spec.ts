import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostTree } from '../../src/build/host-tree.js';
import { diffRuns } from '../../src/layer/diff.js';
import { firstPath, type LayerItem } from '../../src/layer/file-run.js';
import { type PlannedSegment, planLayer, readDigestBy } from '../../src/layer/plan-layer.js';
import { segmentFormat } from '../../src/layer/segment-format.js';
import type { SimilarLayer } from '../../src/layer/similar-layer.js';
import { spanDigest } from '../../src/layer/span-digest.js';
import type { SpanNote, SpanNotes } from '../../src/layer/span-notes.js';
import type { Digest } from '../../src/oci/digest.js';
import { emptyDirectory } from '../../src/tree/editor.js';
import type { FileNode } from '../../src/tree/node.js';
import { hostEntry, tempDir } from './layer-files.js';

const { recipe } = segmentFormat('gzip');

/** A folder in a folder: of what is in the first `stat` is asked one by one. */
function project(): string {
  const folder = tempDir();
  for (let i = 0; i < 300; i++) {
    const above = join(folder, 'app', `d${i % 7}`);
    mkdirSync(above, { recursive: true });
    writeFileSync(join(above, `f${i}`), 'x'.repeat((i * 977) % 30_000));
  }
  writeFileSync(join(folder, 'app', 'd3', 'large'), Buffer.alloc(2_500_000));
  return folder;
}

const entries = (folder: string): Iterable<LayerItem> => ({
  [Symbol.iterator]: () => diffRuns(emptyDirectory(), hostTree(folder)),
});

class Notes implements SpanNotes {
  readonly known = new Map<string, SpanNote>();
  readonly kept: string[] = [];
  find = (path: string): SpanNote | undefined => this.known.get(path);
  add = (path: string, note: SpanNote): void => void this.known.set(path, note);
  keep = (path: string): void => void this.kept.push(path);
}

/** Plans the layer, with all that has been planned before to take over from. */
async function planned(folder: string, spans: Notes, sizes: Map<string, number>) {
  const asked: FileNode[] = [];
  const digest = `sha256:${'a'.repeat(64)}` as Digest;
  const similar: SimilarLayer = {
    find: key => {
      const size = sizes.get(key);
      return size === undefined
        ? undefined
        : { size, rows: () => new Uint8Array(), path: '', start: 0, end: 0, crc: 0, packedCrc: 0 };
    },
  };
  const readDigest = readDigestBy(file => {
    asked.push(file);
    return digest;
  });
  const plan = (await planLayer(entries(folder), { recipe, similar, spans, readDigest }))!;
  const all = [...plan.segments()];
  return { contents: plan.contents, segments: all, asked };
}

describe('notes of spans', () => {
  it('spare the look at files that are as they were', async () => {
    const folder = project();
    const notes = new Notes();
    const first = await planned(folder, notes, new Map());
    expect(first.asked.length).toBeGreaterThan(290);
    // Of the last segment nothing is noted, of the pieces of a large file together.
    expect(notes.known.size).toBe(first.segments.length - 1 - 2);
    expect(notes.known.get('app/d3/large')!.keys).toHaveLength(3);
    const sizes = sizesOf(notes, first.segments);
    const again = await planned(folder, notes, sizes);
    expect(again.contents).toBe(first.contents);
    expect(again.segments.filter(segment => 'stored' in segment)).toHaveLength(first.segments.length - 1);
    expect(again.asked.length).toBeLessThan(100);
    utimesSync(join(folder, 'app', 'd4', 'f200'), 1e9, 1e9);
    const changed = await planned(folder, notes, sizes);
    expect(changed.segments.filter(segment => 'plan' in segment)).toHaveLength(2);
  });

  it('tell apart all that decides what is in a segment', () => {
    const folder = project();
    const path = join(folder, 'app', 'd1', 'f1');
    const { node } = hostEntry('a', path) as { node: FileNode };
    const other = hostEntry('a', join(folder, 'app', 'd1', 'f8')) as { node: FileNode };
    const plain = { mode: 0o755, uid: 0, gid: 0, mtime: 1 };
    const items: LayerItem[] = [
      { path: 'a', node },
      { path: 'b', node },
      { path: 'a', node: other.node },
      { path: 'a', node: { ...node, mode: node.mode ^ 0o100 } },
      { path: 'a', node: { ...node, uid: 1 } },
      { path: 'a', node: { ...node, gid: 1 } },
      { path: 'a', node: { ...node, mtime: node.mtime + 1 } },
      { path: 'a', node: { ...node, mtimeNanoseconds: 1 } },
      { path: 'a', node: { type: 'directory', ...plain } },
      { path: 'a', node: { type: 'fifo', ...plain } },
      { path: 'a', node: { type: 'symlink', target: 'b', ...plain } },
      { path: 'a', node: { type: 'symlink', target: 'c', ...plain } },
      { path: 'a', node: { type: 'character', major: 1, minor: 2, ...plain } },
      { path: 'a', node: { type: 'block', major: 1, minor: 2, ...plain } },
      { path: 'a', node: { type: 'block', major: 2, minor: 1, ...plain } },
      { path: 'a', whiteout: true },
    ];
    const digests = [
      spanDigest('other', { items: [items[0]!] }),
      ...items.map(item => spanDigest(recipe, { items: [item] })),
      ...items.slice(1).map(item => spanDigest(recipe, { items: [items[0]!, item] })),
      ...items.slice(1).map(item => spanDigest(recipe, { items: [items[0]!], next: item })),
    ];
    expect(digests).not.toContain(undefined);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('are not made of what stat does not tell of', () => {
    const { node } = hostEntry('a', join(project(), 'app', 'd1', 'f1')) as { node: FileNode };
    const items: LayerItem[] = [
      { path: 'b', hardlink: 'a' },
      { path: 'a', node: { ...node, content: { kind: 'bytes', bytes: new Uint8Array(3) } } },
      {
        path: 'a',
        node: { ...node, content: { ...(node.content as { kind: 'host' } & typeof node.content), offset: 3 } },
      },
      { path: 'a', node: { ...node, xattrs: { 'security.capability': 'x' } } },
    ];
    for (const item of items) expect(spanDigest(recipe, { items: [item] })).toBeUndefined();
  });
});

/** The sizes of segments that have just been planned, by their keys. */
function sizesOf(notes: Notes, segments: readonly PlannedSegment[]): Map<string, number> {
  const sizes = new Map<string, number>();
  const pieces = new Map<string, number>();
  for (const segment of segments) {
    const first = 'plan' in segment ? segment.plan.span?.items[0] : undefined;
    if (!('plan' in segment) || first === undefined) continue;
    const place = pieces.get(firstPath(first)) ?? 0;
    pieces.set(firstPath(first), place + 1);
    sizes.set(notes.known.get(firstPath(first))!.keys[place]!, segment.plan.size);
  }
  return sizes;
}
