import type { Digest } from '../oci/digest.js';
import type { EntryRows } from '../tree/entry-rows.js';
import type { IndexEntry } from '../tree/layer-index.js';
import type { Metadata } from '../tree/node.js';
import { indexMetadata } from './index-entry.js';

type Xattrs = Readonly<Record<string, string>>;
type Head = readonly [shared: number, suffix: string];
type Time = number | readonly [seconds: number, nanoseconds: number];
type Meta = readonly [mode: number, uid: number, gid: number, mtime: Time, xattrs: Xattrs | 0];
/** An entry as a row: its path as what it shares with the one before, and the rest. */
type Row =
  | readonly ['f', ...Head, ...Meta, size: number, sha256: string, offset: number]
  | readonly ['d' | 'p', ...Head, ...Meta]
  | readonly ['s', ...Head, ...Meta, target: string]
  | readonly ['c' | 'b', ...Head, ...Meta, major: number, minor: number]
  | readonly ['h', ...Head, target: string]
  | readonly ['w' | 'o', ...Head];

/**
 * Entries of an index as JSON, a row an entry, with commas between them. Offsets are as they are given: those of a segment
 * count from its beginning, so that the rows of the same segment in another layer are the same. Why JSON: it is read by
 * native code, so 76,000 entries take a tenth of a second; a binary format decoded in JavaScript was no faster.
 */
export class IndexRows {
  #text = '';
  #previous = '';

  get text(): string {
    return this.#text;
  }

  add(entry: IndexEntry): void {
    const shared = sharedPrefix(this.#previous, entry.path);
    this.#previous = entry.path;
    if (this.#text !== '') this.#text += ',';
    this.#text += rowText(entry, `${shared},${JSON.stringify(entry.path.slice(shared))}`);
  }
}

/** Rows that stand together, and what comes on top of their offsets. */
export interface RowPiece {
  /** As {@link IndexRows} writes them. */
  readonly text: string;
  readonly base: number;
}

/** The inverse of {@link IndexRows}. Entries are made when they are asked for. */
export function decodeRows(pieces: Iterable<RowPiece>): EntryRows {
  const rows: Row[] = [];
  const paths: string[] = [];
  const bases: number[] = [];
  for (const { text, base } of pieces) {
    let previous = '';
    for (const row of JSON.parse(`[${text}]`) as readonly Row[]) {
      previous = previous.slice(0, row[1]) + row[2];
      rows.push(row);
      paths.push(previous);
      bases.push(base);
    }
  }
  const entry = (row: number): IndexEntry => decodeRow(rows[row]!, paths[row]!, bases[row]!);
  let entries: readonly IndexEntry[] | undefined;
  return {
    length: rows.length,
    path: row => paths[row]!,
    type: row => types[rows[row]![0]],
    entry,
    all: () => {
      entries ??= rows.map((_, row) => entry(row));
      return entries;
    },
  };
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

function decodeRow(row: Row, path: string, base: number): IndexEntry {
  switch (row[0]) {
    case 'f':
      return {
        type: 'file',
        path,
        ...decodeMeta(row),
        size: row[8],
        digest: `sha256:${row[9]}` as Digest,
        offset: base + row[10],
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

function metaText({ mode, uid, gid, mtime, mtimeNanoseconds = 0, xattrs }: Metadata): string {
  const time = mtimeNanoseconds === 0 ? mtime : `[${mtime},${mtimeNanoseconds}]`;
  return `${mode},${uid},${gid},${time},${xattrs === undefined ? 0 : JSON.stringify(xattrs)}`;
}

function decodeMeta(row: readonly [unknown, ...Head, ...Meta, ...unknown[]]): Metadata {
  const [, , , mode, uid, gid, time, xattrs] = row;
  if (typeof time === 'number' && xattrs === 0) return { mode, uid, gid, mtime: time };
  const [mtime, mtimeNanoseconds] = typeof time === 'number' ? [time] : time;
  return indexMetadata({ mode, uid, gid, mtime, mtimeNanoseconds, xattrs: xattrs === 0 ? undefined : xattrs });
}

function sharedPrefix(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let i = 0;
  while (i < limit && a.charCodeAt(i) === b.charCodeAt(i)) i += 1;
  return i;
}
