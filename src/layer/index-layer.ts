import { createHash, type Hash } from 'node:crypto';
import { LadingError } from '../errors/errors.js';
import type { Digest } from '../oci/digest.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import { Digester } from '../stream/verified.js';
import type { IndexEntry, LayerIndex } from '../tree/layer-index.js';
import type { Metadata } from '../tree/node.js';
import { cleanPath } from '../tree/path.js';
import { emptyDigest, sha256 } from './file-digest.js';
import { indexMetadata } from './index-entry.js';
import { invalidArchive } from './invalid-archive.js';
import type { TarEntry, TarLimits } from './tar-entry.js';
import { type TarHandler, TarParser } from './tar-parser.js';
import { parseWhiteout } from './whiteout.js';

export interface IndexLayerOptions extends CallOptions {
  readonly limits?: (TarLimits & { readonly entries?: number | undefined }) | undefined;
}

/** An index is held in memory whole: more entries than any real image has, fewer than a machine can bear. */
const defaultEntryLimit = 10_000_000;

/**
 * The index of a layer from one pass over its uncompressed bytes: all of them are hashed, those behind the end marker
 * too. Paths are cleaned and never leave the root; an entry for the root itself is passed over, as every other
 * implementation does.
 * @throws LadingError INVALID_ARCHIVE; UNSUPPORTED for sparse files
 */
export async function indexLayer(uncompressed: Bytes, options: IndexLayerOptions = {}): Promise<LayerIndex> {
  const digester = new Digester();
  const collector = new EntryCollector(options.limits?.entries ?? defaultEntryLimit);
  const parser = new TarParser(collector, options.limits);
  for await (const chunk of uncompressed) {
    options.signal?.throwIfAborted();
    digester.update(chunk);
    parser.push(chunk);
  }
  options.signal?.throwIfAborted();
  parser.end();
  return { diffId: digester.digest(), size: digester.size, entries: collector.entries };
}

class EntryCollector implements TarHandler {
  readonly entries: IndexEntry[] = [];
  readonly #limit: number;
  /** The file whose content is coming in, and what was hashed of it. */
  #file: TarEntry | undefined;
  #path = '';
  #digest: Digest | undefined;
  #hash: Hash | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  entry(entry: TarEntry): void {
    this.#file = undefined;
    if (this.entries.length >= this.#limit) throw invalidArchive(`more than ${this.#limit} entries`);
    const path = cleanPath(entry.path);
    if (path === '') return;
    const whiteout = parseWhiteout(path);
    if (whiteout !== undefined) {
      this.entries.push(whiteout);
    } else if (entry.type === 'file') {
      if (entry.sparse) throw sparseUnsupported(path);
      this.#file = entry;
      this.#path = path;
    } else {
      this.entries.push(indexEntry(entry, path));
    }
  }

  data(chunk: Uint8Array): void {
    if (this.#file === undefined) return;
    // A file that lies whole in one chunk is hashed in one call.
    if (this.#hash === undefined && chunk.length === this.#file.size) {
      this.#digest = sha256(chunk);
    } else {
      this.#hash ??= createHash('sha256');
      this.#hash.update(chunk);
    }
  }

  hole(): void {}

  entryEnd(): void {
    if (this.#file === undefined) return;
    const { size, dataOffset } = this.#file;
    const hashed = this.#hash === undefined ? emptyDigest : (`sha256:${this.#hash.digest('hex')}` as Digest);
    const digest = this.#digest ?? hashed;
    this.entries.push({
      type: 'file',
      path: this.#path,
      ...metadataOf(this.#file),
      size,
      digest,
      offset: dataOffset,
    });
    this.#file = undefined;
    this.#digest = undefined;
    this.#hash = undefined;
  }
}

function indexEntry(entry: TarEntry, path: string): IndexEntry {
  switch (entry.type) {
    case 'directory':
    case 'fifo':
      return { type: entry.type, path, ...metadataOf(entry) };
    case 'symlink':
      return { type: 'symlink', path, ...metadataOf(entry), target: entry.linkTarget };
    case 'character':
    case 'block':
      return { type: entry.type, path, ...metadataOf(entry), major: entry.devMajor, minor: entry.devMinor };
    case 'hardlink': {
      const target = cleanPath(entry.linkTarget);
      if (target === '') throw invalidArchive('a hard link to the root', path);
      return { type: 'hardlink', path, target };
    }
    case 'file':
      throw new Error('files are indexed when their content has been read');
  }
}

function metadataOf({ xattrs, ...entry }: TarEntry): Metadata {
  return indexMetadata({ ...entry, xattrs: xattrs && withoutTrusted(xattrs) });
}

/** `trusted.*` steers the kernel's own overlay file system: no archive may set it. */
function withoutTrusted(xattrs: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  const kept = Object.entries(xattrs).filter(([name]) => !name.startsWith('trusted.'));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function sparseUnsupported(path: string): LadingError<'UNSUPPORTED'> {
  return new LadingError('UNSUPPORTED', `the layer holds ${JSON.stringify(path.toWellFormed())} as a sparse file`, {
    details: { feature: 'sparse files in layers' },
    hint: 'Write the layer again without sparse files (tar without --sparse).',
  });
}
