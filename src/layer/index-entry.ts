import type { Digest } from '../oci/digest.js';
import type { IndexEntry } from '../tree/layer-index.js';
import type { Metadata } from '../tree/node.js';
import type { LayerEntry } from './entry.js';

/** An entry as the index of its layer has it; `offset` and `digest` are of a file's content. */
export function indexEntry(entry: LayerEntry, offset: number, digest: Digest): IndexEntry {
  const { path } = entry;
  if ('whiteout' in entry) return { type: 'whiteout', path };
  if ('hardlink' in entry) return { type: 'hardlink', path, target: entry.hardlink };
  const { node } = entry;
  const metadata = metadataOf(node);
  switch (node.type) {
    case 'file':
      return { type: 'file', path, ...metadata, size: node.size, digest, offset };
    case 'symlink':
      return { type: 'symlink', path, ...metadata, mode: 0o777, target: node.target };
    case 'character':
    case 'block':
      return { type: node.type, path, ...metadata, major: node.major, minor: node.minor };
    default:
      return { type: node.type, path, ...metadata };
  }
}

function metadataOf({ mode, uid, gid, mtime, xattrs }: Metadata): Metadata {
  if (xattrs === undefined) return { mode, uid, gid, mtime };
  const names = Object.keys(xattrs).sort();
  if (names.length === 0) return { mode, uid, gid, mtime };
  return { mode, uid, gid, mtime, xattrs: Object.fromEntries(names.map(name => [name, xattrs[name]!])) };
}
