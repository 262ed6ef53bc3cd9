import type { IndexEntry, LayerIndex } from './layer-index.js';

/** The entries of a layer, each made when it is asked for: most of those of a large layer never are. */
export interface EntryRows {
  readonly length: number;
  path(row: number): string;
  type(row: number): IndexEntry['type'];
  /** Another object each time. */
  entry(row: number): IndexEntry;
  /** All of them, the same each time. */
  all(): readonly IndexEntry[];
}

/** An index whose entries are made when somebody asks for all of them. */
export function indexOfRows(head: Omit<LayerIndex, 'entries' | 'rows'>, rows: EntryRows): LayerIndex {
  return {
    ...head,
    rows,
    get entries() {
      return rows.all();
    },
  };
}

const longPath = 1000;

export function rowsOf(entries: readonly IndexEntry[]): EntryRows {
  return {
    length: entries.length,
    path: row => entries[row]!.path,
    type: row => entries[row]!.type,
    entry: row => entries[row]!,
    all: () => entries,
  };
}

/**
 * Where the content of each folder ends, by its row, where the rows are those of a tree that is walked folder by folder:
 * every folder stands before its content, which comes at once and in the order of names, and nothing is removed or linked to.
 * Then each row is what is in its place when all are applied, and a folder can be made of its rows alone. `undefined` for
 * rows of which that cannot be said.
 */
export function folderEnds(rows: EntryRows): Int32Array | undefined {
  const ends = new Int32Array(rows.length);
  /** The folders that the row before is in, the nearest last, and the name in each that came last. */
  const open: Array<{ readonly row: number; readonly prefix: string; last: string }> = [
    { row: -1, prefix: '', last: '' },
  ];
  for (let row = 0; row < rows.length; row++) {
    const type = rows.type(row);
    const path = rows.path(row);
    // What may be too long is told by who puts it into a tree one by one.
    if (path === '' || path.length > longPath || type === 'hardlink' || type === 'whiteout' || type === 'opaque')
      return undefined;
    let around = open[open.length - 1]!;
    while (!path.startsWith(around.prefix)) {
      ends[around.row] = row;
      open.pop();
      around = open[open.length - 1]!;
    }
    const name = path.slice(around.prefix.length);
    // Each name once: whatever the order is, no name comes again in a list that goes up.
    if (name.includes('/') || name <= around.last) return undefined;
    around.last = name;
    ends[row] = row + 1;
    if (type === 'directory') open.push({ row, prefix: `${path}/`, last: '' });
  }
  for (const { row } of open) if (row >= 0) ends[row] = rows.length;
  return ends;
}
