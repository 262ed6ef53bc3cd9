import { LadingError } from '../errors/errors.js';
import type { FileNode, Metadata } from '../tree/node.js';
import type { LayerEntry } from './entry.js';
import { type PreparedHeader, prepareHeader } from './tar-header.js';
import { looksLikeWhiteout, whiteoutPath } from './whiteout.js';

/**
 * The header of an entry; `links` has been told of those before it.
 * @throws LadingError PATH_INVALID for names that readers of layers take for whiteouts; INVALID_ARCHIVE for what no tar can say
 */
export function entryHeader(entry: LayerEntry, links: LinkTargets): PreparedHeader {
  if ('whiteout' in entry) {
    const path = whiteoutPath(entry.path);
    return prepareHeader({ type: 'file', path, mode: 0, uid: 0, gid: 0, mtime: 0 });
  }
  if (looksLikeWhiteout(entry.path)) throw whiteoutName(entry.path);
  if ('hardlink' in entry) {
    const { mode, uid, gid, mtime, mtimeNanoseconds, xattrs } = entry.metadata ?? links.metadata(entry.hardlink);
    const { path, hardlink: linkTarget } = entry;
    return prepareHeader({ type: 'hardlink', path, linkTarget, mode, uid, gid, mtime, mtimeNanoseconds, xattrs });
  }
  const { path, node } = entry;
  if (node.type === 'file') return fileHeader(path, node);
  const { type, mode, uid, gid, mtime, mtimeNanoseconds, xattrs } = node;
  const fields = { type, path, mode, uid, gid, mtime, mtimeNanoseconds, xattrs };
  switch (node.type) {
    case 'symlink':
      return prepareHeader({ ...fields, mode: 0o777, linkTarget: node.target });
    case 'character':
    case 'block':
      return prepareHeader({ ...fields, major: node.major, minor: node.minor });
    default:
      return prepareHeader(fields);
  }
}

export function fileHeader(path: string, node: FileNode): PreparedHeader {
  const { type, mode, uid, gid, mtime, mtimeNanoseconds, xattrs, size } = node;
  return prepareHeader({ type, path, mode, uid, gid, mtime, mtimeNanoseconds, xattrs, size });
}

/** The metadata of files already written, for the hard links to them; nothing is looked up in layers without links. */
export class LinkTargets {
  readonly #entries: LayerEntry[] = [];
  readonly #byPath = new Map<string, Metadata>();
  #mapped = 0;

  add(entry: LayerEntry): void {
    if ('hardlink' in entry || ('node' in entry && mayBeLinked(entry.node))) this.#entries.push(entry);
  }

  metadata(path: string): Metadata {
    for (; this.#mapped < this.#entries.length; this.#mapped++) {
      const entry = this.#entries[this.#mapped]!;
      const metadata = 'node' in entry ? entry.node : this.#ofLink(entry);
      if (metadata !== undefined) this.#byPath.set(entry.path, metadata);
    }
    const found = this.#byPath.get(path);
    if (found === undefined) throw new Error(`the hard link's target ${path} is not in this layer and has no metadata`);
    return found;
  }

  #ofLink(entry: LayerEntry): Metadata | undefined {
    return 'hardlink' in entry ? (entry.metadata ?? this.#byPath.get(entry.hardlink)) : undefined;
  }
}

function mayBeLinked(node: { readonly type: string; readonly single?: boolean | undefined }): boolean {
  return node.type !== 'directory' && node.single !== true;
}

function whiteoutName(path: string): LadingError<'PATH_INVALID'> {
  const shown = path.toWellFormed();
  return new LadingError(
    'PATH_INVALID',
    `${shown} cannot be stored in a layer: names with .wh. in front mean removal`,
    {
      details: { path: shown, problem: 'the name begins with .wh.' },
      hint: 'Rename the file, or exclude it.',
    },
  );
}
