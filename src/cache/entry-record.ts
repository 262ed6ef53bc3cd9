import { createHash } from 'node:crypto';
import type { IndexEntry } from '../tree/layer-index.js';
import type { Metadata } from '../tree/node.js';
import { canonicalForm, type RecordValue } from './record.js';

/** Changes when the record says the same in another way. */
const entriesVersion = 1;

/** Characters that are hashed at a time. */
const pieceLength = 64 * 1024;

/** Makes a record of entries, whatever they are packed into, while they come. */
export class EntryRecorder {
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
  finish(): RecordValue {
    const entries = this.#hash.update(this.#form, 'utf8').digest('hex');
    return { kind: 'entries', version: entriesVersion, count: this.#count, entries };
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
  const { type, path, mode, uid, gid, mtime, mtimeNanoseconds, xattrs } = entry;
  const attributes = xattrs === undefined ? 'z' : canonicalForm(xattrs);
  const time = mtimeNanoseconds === undefined ? `n${mtime};` : `n${mtime};n${mtimeNanoseconds};`;
  return `s${type.length}:${type}${canonicalForm(path)}n${mode};n${uid};n${gid};${time}${attributes}`;
}
