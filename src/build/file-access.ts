import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { StatCache } from '../cache/stat-cache.js';
import { LadingError } from '../errors/errors.js';
import { type ContentReader, type ContentStore, contentReader } from '../layer/content-reader.js';
import type { LayerEntry } from '../layer/entry.js';
import { openFile } from '../layer/file-cursor.js';
import { emptyDigest } from '../layer/file-digest.js';
import type { HostFile } from '../layer/hash-files.js';
import type { LayerStore } from '../layer/layer-store.js';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import { readCapped } from '../stream/read-capped.js';
import type { LayerIndex } from '../tree/layer-index.js';
import type { FileContent, FileNode } from '../tree/node.js';

const pieceBytes = 1024 * 1024;

/** Reads the files of a tree, wherever their bytes are, and knows their digests. */
export class FileAccess {
  readonly #layers: Pick<LayerStore, 'openRange' | 'hashFiles'>;
  readonly #stats: StatCache;
  readonly #read: ContentReader;
  /** Of contents that are no files of this machine. Promises for those that are being read: they are read once. */
  readonly #digests = new WeakMap<FileContent, Digest | Promise<Digest>>();
  /** Work that reads contents, and will know their digests. */
  readonly #readers = new WeakMap<FileContent, Promise<unknown>>();

  /** `stats`: what is known of files of this machine, and where what is found of them goes. */
  constructor(store: ContentStore & Pick<LayerStore, 'hashFiles'>, stats: StatCache = StatCache.inMemory()) {
    this.#layers = store;
    this.#stats = stats;
    this.#read = contentReader(store);
  }

  /** The bytes of a file as a stream; an error, such as a file that changes meanwhile, ends it. */
  open(file: FileNode, options: CallOptions = {}): Readable {
    return Readable.from(this.#pieces(file, options), { objectMode: false });
  }

  /** All bytes of a small file. */
  async read(file: FileNode, limit: number, what: string, options: CallOptions = {}): Promise<Buffer> {
    if (file.size > limit) {
      throw new LadingError('SIZE_EXCEEDED', `${what} is larger than ${limit} bytes`, { details: { what, limit } });
    }
    return await readCapped(this.open(file, options), limit, what);
  }

  /** The first bytes of a file, as many as there are up to `length`. */
  async head(file: FileNode, length: number, options: CallOptions = {}): Promise<Buffer> {
    const buffer = Buffer.alloc(Math.min(length, file.size));
    const cursor = await openFile(file, this.#read, options);
    try {
      await cursor.read(buffer, 0, buffer.length);
      return buffer;
    } finally {
      cursor.close();
    }
  }

  /** SHA-256 of the content. */
  async digest(file: FileNode, options: CallOptions = {}): Promise<Digest> {
    const known = this.#known(file) ?? this.#digests.get(file.content);
    if (known !== undefined) return known;
    if (isHostFile(file)) return (await this.#hash([file], options))[0]!;
    const hashing = this.#hashOf(file, options);
    this.#digests.set(file.content, hashing);
    const digest = await hashing;
    this.#digests.set(file.content, digest);
    return digest;
  }

  /** For each entry the digest of its file, where it is known without reading; none for what is no file. */
  knownDigests(entries: readonly LayerEntry[]): Array<Digest | undefined> {
    return entries.map(entry => {
      const file = fileOf(entry);
      return file === undefined ? undefined : this.#known(file);
    });
  }

  /** The same for all files; what has to be read for that is read by many threads. */
  async digests(
    entries: readonly LayerEntry[],
    known: ReadonlyArray<Digest | undefined>,
    options: CallOptions = {},
  ): Promise<Array<Digest | undefined>> {
    const unknown = new Map<FileContent, HostFileNode>();
    for (const [i, entry] of entries.entries()) {
      const file = fileOf(entry);
      if (file !== undefined && known[i] === undefined && isHostFile(file)) unknown.set(file.content, file);
    }
    const hashed = await this.#hash([...unknown.values()], options);
    const found = new Map([...unknown.keys()].map((content, i) => [content, hashed[i]!]));
    const digests = [...known];
    for (const [i, entry] of entries.entries()) {
      const file = fileOf(entry);
      if (file === undefined || known[i] !== undefined) continue;
      digests[i] = found.get(file.content) ?? (await this.digest(file, options));
    }
    return digests;
  }

  /** Does work that reads the files of these entries, and takes over the digests that it finds. */
  async reading<T extends { readonly index: LayerIndex }>(
    entries: readonly LayerEntry[],
    work: () => Promise<T>,
  ): Promise<T> {
    const done = (async () => {
      const result = await work();
      let place = 0;
      for (const entry of entries) {
        if (entry.path === '') continue;
        const found = result.index.entries[place++]!;
        const file = fileOf(entry);
        if (file !== undefined && found.type === 'file') this.#learn(file, found.digest);
      }
      return result;
    })();
    const contents = entries.flatMap(entry => fileOf(entry)?.content ?? []);
    for (const content of contents) this.#readers.set(content, done);
    try {
      return await done;
    } finally {
      for (const content of contents) if (this.#readers.get(content) === done) this.#readers.delete(content);
    }
  }

  /** Work under way that reads some of the files of these entries. */
  readersOf(entries: readonly LayerEntry[]): Promise<unknown>[] {
    const readers = entries.flatMap(entry => {
      const file = fileOf(entry);
      return (file && this.#readers.get(file.content)) ?? [];
    });
    return [...new Set(readers)];
  }

  #known(file: FileNode): Digest | undefined {
    if (file.digest !== undefined || file.size === 0) return file.digest ?? emptyDigest;
    if (isWhole(file)) return this.#stats.find(file.content.identity);
    const known = this.#digests.get(file.content);
    return typeof known === 'string' ? known : undefined;
  }

  #learn(file: FileNode, digest: Digest): void {
    if (file.size === 0 || file.digest !== undefined) return;
    if (isWhole(file)) this.#stats.add(file.content.identity, digest);
    else this.#digests.set(file.content, digest);
  }

  async #hashOf(file: FileNode, options: CallOptions): Promise<Digest> {
    const hash = createHash('sha256');
    for await (const piece of this.#pieces(file, options)) hash.update(piece);
    return `sha256:${hash.digest('hex')}` as Digest;
  }

  async #hash(files: readonly HostFileNode[], options: CallOptions): Promise<Digest[]> {
    const digests = await this.#layers.hashFiles(files, options);
    for (const [i, file] of files.entries()) this.#learn(file, digests[i]!);
    return digests;
  }

  async *#pieces(file: FileNode, options: CallOptions): AsyncGenerator<Buffer> {
    if (file.size === 0) return;
    const cursor = await openFile(file, this.#read, options);
    try {
      for (let position = 0; position < file.size; position += pieceBytes) {
        options.signal?.throwIfAborted();
        const piece = Buffer.allocUnsafe(Math.min(pieceBytes, file.size - position));
        await cursor.read(piece, 0, piece.length);
        yield piece;
      }
      await cursor.finish();
    } finally {
      cursor.close();
    }
  }
}

type HostFileNode = FileNode & HostFile;

/** Whether a file among these entries has a digest that is not known. */
export function lacksDigests(entries: readonly LayerEntry[], digests: ReadonlyArray<Digest | undefined>): boolean {
  return entries.some((entry, i) => digests[i] === undefined && fileOf(entry) !== undefined);
}

function fileOf(entry: LayerEntry): FileNode | undefined {
  return 'node' in entry && entry.node.type === 'file' ? entry.node : undefined;
}

function isHostFile(file: FileNode): file is HostFileNode {
  return file.content.kind === 'host';
}

/** A file that is all of a file of this machine, and not a part of an archive. */
function isWhole(file: FileNode): file is HostFileNode {
  return file.content.kind === 'host' && file.content.offset === undefined;
}
