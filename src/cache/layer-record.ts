import type { LayerEntry } from '../layer/entry.js';
import type { Compression } from '../oci/media-types.js';
import { type RecordValue, recordKey } from './record.js';

/** Changes when the same entries would be packed to other bytes. */
const formatVersion = 1;

export interface LayerRecordOptions {
  readonly compression: Compression;
  readonly level: number | undefined;
}

/**
 * The record of a layer that is a pure function of its entries, which holds for all but RUN: the same entries, packed the
 * same way, are the same layer wherever they come from. Each entry stands as its own digest so that the record of a
 * large copy stays small while a miss can still be traced to the entry.
 */
export function layerRecord(entries: readonly LayerEntry[], options: LayerRecordOptions): RecordValue {
  return {
    kind: 'layer',
    version: formatVersion,
    compression: options.compression,
    level: options.level ?? null,
    count: entries.length,
    entries: recordKey(entries.map(entry => recordKey(entryRecord(entry)))),
  };
}

function entryRecord(entry: LayerEntry): RecordValue {
  if ('whiteout' in entry) return { path: entry.path, type: 'whiteout' };
  if ('hardlink' in entry) return { path: entry.path, type: 'hardlink', target: entry.hardlink };
  const { type, mode, uid, gid, mtime, xattrs } = entry.node;
  const shared = { path: entry.path, type, mode, uid, gid, mtime, xattrs };
  switch (entry.node.type) {
    case 'file':
      if (entry.node.digest === undefined) throw new Error(`the content of ${entry.path} has not been read`);
      return { ...shared, size: entry.node.size, digest: entry.node.digest };
    case 'symlink':
      return { ...shared, target: entry.node.target };
    case 'character':
    case 'block':
      return { ...shared, major: entry.node.major, minor: entry.node.minor };
    default:
      return shared;
  }
}
