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
  const metadata = indexMetadata(node);
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

/** What an index has of metadata: nothing that says nothing, and attributes in order. */
export function indexMetadata({ mode, uid, gid, mtime, mtimeNanoseconds = 0, xattrs }: Metadata): Metadata {
  if (xattrs === undefined && mtimeNanoseconds === 0) return { mode, uid, gid, mtime };
  const names = Object.keys(xattrs ?? {}).sort();
  return {
    ...{ mode, uid, gid, mtime },
    ...(mtimeNanoseconds === 0 ? {} : { mtimeNanoseconds }),
    ...(names.length === 0 ? {} : { xattrs: Object.fromEntries(names.map(name => [name, xattrs![name]!])) }),
  };
}
