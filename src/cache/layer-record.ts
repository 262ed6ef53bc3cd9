import { createHash } from 'node:crypto';
import type { IndexEntry } from '../tree/layer-index.js';
import type { Metadata } from '../tree/node.js';
import { canonicalForm, type RecordValue } from './record.js';

/** Changes when the same entries would be written to another tar. */
const formatVersion = 2;

/** Characters that are hashed at a time. */
const pieceLength = 64 * 1024;

/**
 * The record of a layer that is a pure function of its entries, which holds for all but RUN: the same entries, packed the
 * same way, are the same layer wherever they come from. What stands for the entries is one hash over all of them, so that
 * the record of a large copy stays small; a miss is traced to the entry by the index of the layer before.
 *
 * `recipe` is what decides the bytes of the blob: see `SegmentFormat`.
 */
export function layerRecord(entries: Iterable<IndexEntry>, recipe: string): RecordValue {
  const hash = createHash('sha256');
  let count = 0;
  let form = '';
  for (const entry of entries) {
    count += 1;
    form += canonicalForm(entryRecord(entry));
    if (form.length < pieceLength) continue;
    hash.update(form, 'utf8');
    form = '';
  }
  hash.update(form, 'utf8');
  return { kind: 'layer', version: formatVersion, recipe, count, entries: hash.digest('hex') };
}

function entryRecord(entry: IndexEntry): RecordValue {
  switch (entry.type) {
    case 'file':
      return [...shared(entry), entry.size, entry.digest];
    case 'symlink':
      return [...shared(entry), entry.target];
    case 'character':
    case 'block':
      return [...shared(entry), entry.major, entry.minor];
    case 'hardlink':
      return [entry.type, entry.path, entry.target];
    case 'whiteout':
    case 'opaque':
      return [entry.type, entry.path];
    default:
      return shared(entry);
  }
}

function shared({
  type,
  path,
  mode,
  uid,
  gid,
  mtime,
  xattrs,
}: Metadata & { readonly type: string; readonly path: string }): RecordValue[] {
  return [type, path, mode, uid, gid, mtime, xattrs ?? null];
}
