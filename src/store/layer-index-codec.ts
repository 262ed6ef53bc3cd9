import type { Digest } from '../oci/digest.js';
import { indexOfRows } from '../tree/entry-rows.js';
import type { IndexEntry, LayerIndex } from '../tree/layer-index.js';
import type { Metadata } from '../tree/node.js';

/** Names the shape of the rows below: change it with them. */
export const layerIndexKind = 'layer-index 1';

type Xattrs = Readonly<Record<string, string>>;
type Head = readonly [shared: number, suffix: string];
type Meta = readonly [mode: number, uid: number, gid: number, mtime: number, xattrs: Xattrs | 0];
/** An entry as it lies on the disk: its path as what it shares with the one before, and the rest. */
type Row =
  | readonly ['f', ...Head, ...Meta, size: number, sha256: string, offset: number]
  | readonly ['d' | 'p', ...Head, ...Meta]
  | readonly ['s', ...Head, ...Meta, target: string]
  | readonly ['c' | 'b', ...Head, ...Meta, major: number, minor: number]
  | readonly ['h', ...Head, target: string]
  | readonly ['w' | 'o', ...Head];

/** Characters that are turned into bytes at a time. */
const pieceLength = 64 * 1024;

/**
 * The entries of an index as JSON, a row an entry, put together while they come. Why JSON: it is read by native code, so
 * 76,000 entries take a tenth of a second; a binary format decoded in JavaScript was no faster.
 */
export class LayerIndexEncoder {
  readonly #pieces: Buffer[] = [];
  #text = '';
  #count = 0;
  #previous = '';

  add(entry: IndexEntry): void {
    const shared = sharedPrefix(this.#previous, entry.path);
    this.#previous = entry.path;
    if (this.#count++ > 0) this.#text += ',';
    this.#text += rowText(entry, `${shared},${JSON.stringify(entry.path.slice(shared))}`);
    if (this.#text.length >= pieceLength) this.#flush();
  }

  finish({ diffId, size }: Pick<LayerIndex, 'diffId' | 'size'>): readonly Buffer[] {
    this.#text += ']}';
    this.#flush();
    const head = JSON.stringify({ diffId, size }).slice(0, -1);
    return [Buffer.from(`${head},"rows":[`), ...this.#pieces];
  }

  #flush(): void {
    this.#pieces.push(Buffer.from(this.#text));
    this.#text = '';
  }
}

export function encodeLayerIndex(index: LayerIndex): readonly Buffer[] {
  const encoder = new LayerIndexEncoder();
  for (const entry of index.entries) encoder.add(entry);
  return encoder.finish(index);
}

/** The inverse of {@link LayerIndexEncoder}, for bytes whose checksum has been found right. Entries are made when they are asked for. */
export function decodeLayerIndex(payload: Buffer): LayerIndex {
  const { diffId, size, rows } = JSON.parse(payload.toString('utf8')) as {
    readonly diffId: Digest;
    readonly size: number;
    readonly rows: readonly Row[];
  };
  let previous = '';
  const paths = rows.map(row => {
    previous = previous.slice(0, row[1]) + row[2];
    return previous;
  });
  let entries: readonly IndexEntry[] | undefined;
  return indexOfRows(
    { diffId, size },
    {
      length: rows.length,
      path: row => paths[row]!,
      type: row => types[rows[row]![0]],
      entry: row => decodeRow(rows[row]!, paths[row]!),
      all: () => {
        entries ??= rows.map((row, i) => decodeRow(row, paths[i]!));
        return entries;
      },
    },
  );
}

const types = {
  ...({ f: 'file', d: 'directory', p: 'fifo', s: 'symlink', c: 'character', b: 'block' } as const),
  ...({ h: 'hardlink', w: 'whiteout', o: 'opaque' } as const),
};

/** A {@link Row} as JSON. Put together here, which takes a third of the time of making the list first. */
function rowText(entry: IndexEntry, head: string): string {
  switch (entry.type) {
    case 'file':
      return `["f",${head},${metaText(entry)},${entry.size},"${entry.digest.slice('sha256:'.length)}",${entry.offset}]`;
    case 'directory':
      return `["d",${head},${metaText(entry)}]`;
    case 'fifo':
      return `["p",${head},${metaText(entry)}]`;
    case 'symlink':
      return `["s",${head},${metaText(entry)},${JSON.stringify(entry.target)}]`;
    case 'character':
      return `["c",${head},${metaText(entry)},${entry.major},${entry.minor}]`;
    case 'block':
      return `["b",${head},${metaText(entry)},${entry.major},${entry.minor}]`;
    case 'hardlink':
      return `["h",${head},${JSON.stringify(entry.target)}]`;
    case 'whiteout':
      return `["w",${head}]`;
    case 'opaque':
      return `["o",${head}]`;
  }
}

function decodeRow(row: Row, path: string): IndexEntry {
  switch (row[0]) {
    case 'f':
      return {
        type: 'file',
        path,
        ...decodeMeta(row),
        size: row[8],
        digest: `sha256:${row[9]}` as Digest,
        offset: row[10],
      };
    case 'd':
      return { type: 'directory', path, ...decodeMeta(row) };
    case 'p':
      return { type: 'fifo', path, ...decodeMeta(row) };
    case 's':
      return { type: 'symlink', path, ...decodeMeta(row), target: row[8] };
    case 'c':
      return { type: 'character', path, ...decodeMeta(row), major: row[8], minor: row[9] };
    case 'b':
      return { type: 'block', path, ...decodeMeta(row), major: row[8], minor: row[9] };
    case 'h':
      return { type: 'hardlink', path, target: row[3] };
    case 'w':
      return { type: 'whiteout', path };
    case 'o':
      return { type: 'opaque', path };
  }
}

function metaText({ mode, uid, gid, mtime, xattrs }: Metadata): string {
  return `${mode},${uid},${gid},${mtime},${xattrs === undefined ? 0 : JSON.stringify(xattrs)}`;
}

function decodeMeta(row: readonly [unknown, ...Head, ...Meta, ...unknown[]]): Metadata {
  const [, , , mode, uid, gid, mtime, xattrs] = row;
  return xattrs === 0 ? { mode, uid, gid, mtime } : { mode, uid, gid, mtime, xattrs };
}

function sharedPrefix(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let i = 0;
  while (i < limit && a.charCodeAt(i) === b.charCodeAt(i)) i += 1;
  return i;
}
