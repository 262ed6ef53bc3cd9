import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexRows } from '../../src/layer/index-rows.js';
import { digestOf } from '../../src/oci/digest.js';
import {
  decodeLayerIndex,
  encodeLayerIndex,
  type IndexBytes,
  LayerIndexEncoder,
  segmentRows,
} from '../../src/store/layer-index-codec.js';
import type { IndexEntry, LayerIndex } from '../../src/tree/layer-index.js';
import { decodePath } from '../../src/tree/path.js';

const path = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map(bytes => decodePath(bytes)),
  fc.constantFrom('a/b', 'a/b/c', 'a/\u{1f600}', 'a/\u{1f601}', '__proto__'),
);
const metadata = {
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.nat(),
  gid: fc.nat(),
  mtime: fc.integer({ min: -1e9, max: 1e12 }),
};
const xattrs = fc.option(fc.constantFrom<Record<string, string>>({ 'user.a': 'x\u0000ÿ' }, { 'user.b': '' }), {
  nil: undefined,
});
const withXattrs = (entry: Record<string, unknown>, values: Record<string, string> | undefined): IndexEntry =>
  (values === undefined ? entry : { ...entry, xattrs: values }) as unknown as IndexEntry;
const of = (type: string, more: Record<string, fc.Arbitrary<unknown>> = {}): fc.Arbitrary<IndexEntry> =>
  fc
    .tuple(fc.record({ type: fc.constant(type), path, ...metadata, ...more }), xattrs)
    .map(([entry, values]) => withXattrs(entry, values));
const bare = (type: string, more: Record<string, fc.Arbitrary<unknown>> = {}): fc.Arbitrary<IndexEntry> =>
  fc.record({ type: fc.constant(type), path, ...more }) as unknown as fc.Arbitrary<IndexEntry>;

const entry = fc.oneof(
  of('file', { size: fc.nat(), offset: fc.nat(), digest: fc.string().map(text => digestOf(text)) }),
  of('directory'),
  of('fifo'),
  of('symlink', { target: path }),
  of('character', { major: fc.nat(), minor: fc.nat() }),
  of('block', { major: fc.nat(), minor: fc.nat() }),
  bare('hardlink', { target: path }),
  bare('whiteout'),
  bare('opaque'),
);
const index = fc.record({
  diffId: fc.constant(digestOf('x')),
  size: fc.nat(),
  entries: fc.array(entry, { maxLength: 20 }),
}) as fc.Arbitrary<LayerIndex>;

function encoded(index: LayerIndex): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  encodeLayerIndex(index, bytes => pieces.push(bytes));
  return pieces;
}

/** With all entries made. */
function decoded(pieces: readonly Uint8Array[]): LayerIndex {
  return { ...decodeLayerIndex(Buffer.concat(pieces)), rows: undefined };
}

function inMemory(payload: Buffer): IndexBytes {
  return { size: payload.length, read: (at, length) => payload.subarray(at, at + length) };
}

describe('the layer index on the disk', () => {
  it('comes back as it went in, whatever the paths are', () => {
    fc.assert(
      fc.property(index, value => {
        expect(decoded(encoded(value))).toEqual(value);
      }),
    );
  });

  it('comes back when it is made in many pieces', () => {
    const entries: IndexEntry[] = Array.from({ length: 50_000 }, (_, i) => ({ type: 'whiteout', path: `a/${i}` }));
    const value: LayerIndex = { diffId: digestOf('x'), size: 1, entries };
    const pieces = encoded(value);
    expect(pieces.length).toBeGreaterThan(5);
    expect(decoded(pieces)).toEqual(value);
    // These are no rows of segments.
    expect(segmentRows(inMemory(Buffer.concat(pieces)), value.diffId)!.segments.size).toBe(0);
  });

  it('has the rows of segments, of its own tar alone', () => {
    const pieces: Uint8Array[] = [];
    const encoder = new LayerIndexEncoder(bytes => pieces.push(bytes));
    const rows = new IndexRows();
    const file = { type: 'file', path: 'ü', mode: 0o644, uid: 0, gid: 0, mtime: 0, size: 1 } as const;
    rows.add({ ...file, digest: digestOf('y'), offset: 512 });
    encoder.add(0, 1024, rows.text);
    encoder.add(1024, 512, '');
    encoder.add(1536, 1024, Buffer.from(rows.text));
    encoder.finish({ diffId: digestOf('x'), size: 2560 });
    const payload = Buffer.concat(pieces);
    const known = segmentRows(inMemory(payload), digestOf('x'))!;
    const found = [...known.segments].map(([offset, { size, rows }]) => [offset, size, Buffer.from(rows()).toString()]);
    expect(found).toEqual([
      [0, 1024, rows.text],
      [1024, 512, ''],
      [1536, 1024, rows.text],
    ]);
    expect(segmentRows(inMemory(payload), digestOf('z'))).toBeUndefined();
    expect(decodeLayerIndex(payload).entries.map(entry => 'offset' in entry && entry.offset)).toEqual([512, 2048]);
  });
});
