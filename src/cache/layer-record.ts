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
  const recorder = new LayerRecorder();
  for (const entry of entries) recorder.add(entry);
  return recorder.finish(recipe);
}

/** Makes a {@link layerRecord} of entries while they come. */
export class LayerRecorder {
  readonly #hash = createHash('sha256');
  #count = 0;
  #form = '';

  add(entry: IndexEntry): void {
    this.#count += 1;
    this.#form += entryForm(entry);
    if (this.#form.length < pieceLength) return;
    this.#hash.update(this.#form, 'utf8');
    this.#form = '';
  }

  /** Call it once. */
  finish(recipe: string): RecordValue {
    const entries = this.#hash.update(this.#form, 'utf8').digest('hex');
    return { kind: 'layer', version: formatVersion, recipe, count: this.#count, entries };
  }
}

/** The canonical form of a list of the fields: put together here, since it is done for every file of a build. */
function entryForm(entry: IndexEntry): string {
  switch (entry.type) {
    case 'file':
      // Digests are ASCII: their form needs no looking.
      return `l9:${metadataForm(entry)}n${entry.size};s${entry.digest.length}:${entry.digest}`;
    case 'symlink':
      return `l8:${metadataForm(entry)}${canonicalForm(entry.target)}`;
    case 'character':
    case 'block':
      return `l9:${metadataForm(entry)}n${entry.major};n${entry.minor};`;
    case 'hardlink':
      return canonicalForm([entry.type, entry.path, entry.target]);
    case 'whiteout':
    case 'opaque':
      return canonicalForm([entry.type, entry.path]);
    default:
      return `l7:${metadataForm(entry)}`;
  }
}

function metadataForm(entry: Metadata & { readonly type: string; readonly path: string }): string {
  const { type, path, mode, uid, gid, mtime, xattrs } = entry;
  const attributes = xattrs === undefined ? 'z' : canonicalForm(xattrs);
  return `s${type.length}:${type}${canonicalForm(path)}n${mode};n${uid};n${gid};n${mtime};${attributes}`;
}
