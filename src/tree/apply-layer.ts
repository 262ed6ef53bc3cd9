import { LadingError } from '../errors/errors.js';
import { emptyDirectory, TreeEditor, withMetadata } from './editor.js';
import { type EntryRows, folderEnds, rowsOf } from './entry-rows.js';
import type { IndexEntry, LayerIndex } from './layer-index.js';
import { LazyDirectory } from './lazy-directory.js';
import { lookup, realPath } from './lookup.js';
import type { DirectoryNode, LayerRef, TreeNode } from './node.js';
import { baseOf, joinPath, parentOf } from './path.js';

/**
 * The tree with a layer on top (OCI image-spec, layer.md, "Applying changesets"): folders merge, everything else is
 * replaced, whiteouts remove what is below. Parents resolve inside the tree; missing ones become root's, mode 0755.
 * `exact`: times have what is below a second. Who does not ask for it must not write it into a layer of his own.
 * @throws LadingError INVALID_ARCHIVE for a hard link to nothing
 */
export function applyLayer(root: DirectoryNode, index: LayerIndex, layer: LayerRef, exact = false): DirectoryNode {
  const known = index.rows ?? rowsOf(index.entries);
  const rows = exact ? known : { ...known, entry: (row: number) => inSeconds(known.entry(row)) };
  const ends = folderEnds(rows);
  return ends === undefined ? applyEach(root, rows, layer) : addFolders(root, rows, ends, layer);
}

function inSeconds(entry: IndexEntry): IndexEntry {
  return 'mtimeNanoseconds' in entry ? { ...entry, mtimeNanoseconds: undefined } : entry;
}

/** A layer of nothing but additions, folder by folder: those that the tree does not have are made when they are looked into. */
function addFolders(root: DirectoryNode, rows: EntryRows, ends: Int32Array, layer: LayerRef): DirectoryNode {
  const editor = new TreeEditor(root);
  const nodeAt = (row: number): TreeNode => {
    const entry = rows.entry(row) as AddedEntry;
    if (entry.type !== 'directory' || ends[row] === row + 1) return nodeOf(entry, undefined, editor, layer);
    return new LazyDirectory(entry, () => {
      const children = new Map<string, TreeNode>();
      for (let at = row + 1; at < ends[row]!; at = ends[at]!) children.set(baseOf(rows.path(at)), nodeAt(at));
      return children;
    });
  };
  for (let row = 0; row < rows.length; ) {
    const path = rows.path(row);
    const previous = editor.get(path);
    if (rows.type(row) === 'directory' && previous?.type === 'directory') {
      editor.set(path, withMetadata(previous, rows.entry(row) as AddedEntry));
      row += 1;
    } else {
      editor.set(path, nodeAt(row));
      row = ends[row]!;
    }
  }
  return editor.root;
}

function applyEach(root: DirectoryNode, rows: EntryRows, layer: LayerRef): DirectoryNode {
  const editor = new TreeEditor(root);
  const every = Array.from({ length: rows.length }, (_, row) => rows.entry(row));
  /** What this layer has put, and the folders on the way: an opaque marker spares it, wherever in the layer it stands. */
  const own = every.some(entry => entry.type === 'opaque') ? new Set<string>() : undefined;
  const cleared = new Set<string>();
  let parent: { written: string; real: string } | undefined;
  for (const entry of every) {
    if (entry.path === '') {
      if (entry.type === 'directory') editor.set('', withMetadata(editor.root, entry));
      else if (entry.type === 'opaque') makeOpaque(editor, '', own!, cleared);
      continue;
    }
    const written = parentOf(entry.path);
    if (parent?.written !== written) parent = { written, real: ensureDirectory(editor, written) };
    const path = joinPath(parent.real, baseOf(entry.path));
    if (entry.type === 'opaque') {
      makeOpaque(editor, realPath(editor.root, entry.path), own!, cleared);
      parent = undefined;
      continue;
    }
    const previous = editor.get(path);
    if (entry.type === 'whiteout') {
      editor.remove(path);
    } else {
      editor.set(path, nodeOf(entry, previous, editor, layer));
      for (let place = path; own !== undefined && place !== '' && !own.has(place); place = parentOf(place))
        own.add(place);
    }
    // A folder or a link that is replaced may be one that the remembered parent was reached through.
    if (previous !== undefined && (previous.type === 'directory' || previous.type === 'symlink')) parent = undefined;
  }
  return editor.root;
}

type AddedEntry = Exclude<IndexEntry, { type: 'whiteout' | 'opaque' | 'hardlink' }>;

function nodeOf(
  entry: Exclude<IndexEntry, { type: 'whiteout' | 'opaque' }>,
  previous: TreeNode | undefined,
  editor: TreeEditor,
  layer: LayerRef,
): TreeNode {
  if (entry.type === 'hardlink') return linked(entry, editor);
  const { mode, uid, gid, mtime, mtimeNanoseconds, xattrs } = entry;
  const metadata = { mode, uid, gid, mtime, mtimeNanoseconds, xattrs };
  switch (entry.type) {
    case 'file': {
      const content = { kind: 'layer', layer, offset: entry.offset } as const;
      return { type: 'file', ...metadata, size: entry.size, digest: entry.digest, content };
    }
    case 'directory':
      return previous?.type === 'directory' ? withMetadata(previous, metadata) : emptyDirectory(metadata);
    case 'symlink':
      return { type: 'symlink', ...metadata, target: entry.target };
    case 'character':
    case 'block':
      return { type: entry.type, ...metadata, major: entry.major, minor: entry.minor };
    case 'fifo':
      return { type: 'fifo', ...metadata };
  }
}

function linked(entry: { readonly path: string; readonly target: string }, editor: TreeEditor): TreeNode {
  const target = lookup(editor.root, entry.target, { follow: false });
  if (target !== undefined && target.node.type !== 'directory') return target.node;
  throw new LadingError('INVALID_ARCHIVE', `${entry.path} is a hard link to ${entry.target}, which is no file`, {
    details: { entry: entry.path, problem: 'hard link to nothing' },
    hint: 'The layer is broken, or one below it is missing.',
  });
}

function ensureDirectory(editor: TreeEditor, written: string): string {
  const path = realPath(editor.root, written);
  editor.makeDirectories(path);
  return path;
}

/** `cleared`: folders in which nothing of lower layers is left, and to which this layer can add only its own. */
function makeOpaque(editor: TreeEditor, path: string, own: ReadonlySet<string>, cleared: Set<string>): void {
  const directory = editor.get(path);
  if (directory?.type !== 'directory' || cleared.has(path)) return;
  cleared.add(path);
  for (const name of [...directory.children.keys()]) {
    const child = joinPath(path, name);
    if (!own.has(child)) editor.remove(child);
    else if (directory.children.get(name)!.type === 'directory') makeOpaque(editor, child, own, cleared);
  }
}
