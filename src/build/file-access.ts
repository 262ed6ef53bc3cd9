import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { StatCache } from '../cache/stat-cache.js';
import { StoredSpans } from '../cache/stored-spans.js';
import { LadingError } from '../errors/errors.js';
import { type ContentReader, type ContentStore, contentReader } from '../layer/content-reader.js';
import type { LayerEntry } from '../layer/entry.js';
import { openFile } from '../layer/file-cursor.js';
import { emptyDigest } from '../layer/file-digest.js';
import { filesOf, type LayerItem } from '../layer/file-run.js';
import type { HostFile } from '../layer/hash-files.js';
import type { LayerStore } from '../layer/layer-store.js';
import type { SpanNotes } from '../layer/span-notes.js';
import type { Digest } from '../oci/digest.js';
import { digestAt, digestBytes, setDigest } from '../oci/digest-bytes.js';
import type { CallOptions } from '../stream/bytes.js';
import { readCapped } from '../stream/read-capped.js';
import type { FileContent, FileNode } from '../tree/node.js';
import { parentOf } from '../tree/path.js';

const pieceBytes = 1024 * 1024;

/** Reads the files of a tree, wherever their bytes are, and knows their digests. */
export class FileAccess {
  readonly #layers: Pick<LayerStore, 'openRange' | 'hashFiles'>;
  readonly #stats: StatCache;
  readonly #spans: StoredSpans;
  readonly #read: ContentReader;
  /** Of contents that are no files of this machine. Promises for those that are being read: they are read once. */
  readonly #digests = new WeakMap<FileContent, Digest | Promise<Digest>>();
  /** Work that reads files of a folder of this machine, by its path: there can be too many files to note each. */
  readonly #readers = new Map<string, Promise<unknown>>();
  /** Room for a digest. */
  readonly #one = new Uint8Array(digestBytes);

  /** What is known of segments of layers that are made of files of this machine. */
  readonly spans: SpanNotes;

  /** `stats`, `spans`: what is known of files of this machine, and where what is found of them goes. */
  constructor(store: ContentStore & Pick<LayerStore, 'hashFiles'>, stats = new StatCache(), spans = new StoredSpans()) {
    this.#layers = store;
    this.#stats = stats;
    this.#spans = spans;
    this.spans = {
      find: path => spans.find(path),
      add: (path, note, settledFrom) => spans.add(path, note, settledFrom),
      keep: (path, note) => {
        spans.keep(path, note);
        this.passOver();
      },
    };
    this.#read = contentReader(store);
  }

  /** To be awaited before it is asked what is known of segments. */
  spansReady(options: CallOptions = {}): Promise<void> {
    return this.#spans.load(options);
  }

  /** To be awaited before it is asked what is known. */
  ready(options: CallOptions = {}): Promise<void> {
    return this.#stats.load(options);
  }

  /** Says that a step is done without its files having been asked for: what is known of them is still of use. */
  passOver(): void {
    this.#stats.keepAll();
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
    await this.ready(options);
    const known = this.#known(file) ?? this.#digests.get(file.content);
    if (known !== undefined) return known;
    if (isHostFile(file)) return (await this.#hash([file], options))[0]!;
    const hashing = this.#hashOf(file, options);
    this.#digests.set(file.content, hashing);
    const digest = await hashing;
    this.#digests.set(file.content, digest);
    return digest;
  }

  /** The digest of the entry's file, where it is known without reading; that of no bytes for what is no file. */
  knownDigest(entry: LayerEntry): Digest | undefined {
    return 'node' in entry && entry.node.type === 'file' ? this.#known(entry.node) : emptyDigest;
  }

  /** Puts the digest of a file, where it is known without reading, into its place among others; returns whether it is. */
  readDigest(file: FileNode, digests: Uint8Array, at: number): boolean {
    if (file.digest === undefined && file.size > 0 && isWhole(file)) {
      return this.#stats.read(file.content.identity, digests, at);
    }
    const known = this.#known(file);
    if (known !== undefined) setDigest(digests, at, known);
    return known !== undefined;
  }

  /** Whether no file has to be read for the digests of all of them. */
  knowsAll(items: Iterable<LayerItem>): boolean {
    for (const file of filesOf(items)) if (!this.readDigest(file, this.#one, 0)) return false;
    return true;
  }

  /** Reads what has to be read for the digests of all files to be known; files of this machine by many threads. */
  async learnAll(files: Iterable<FileNode>, options: CallOptions = {}): Promise<void> {
    const wanted = [...files];
    // Of a few files it takes less time to read them than to read what is known of all.
    if (this.#stats.isLoaded || hashingCost(wanted) >= loadingCost * (await this.#stats.size()))
      await this.ready(options);
    const unknown = new Map<FileContent, HostFileNode>();
    for (const file of wanted) {
      if (this.#known(file) !== undefined) continue;
      if (isHostFile(file)) unknown.set(file.content, file);
      else await this.digest(file, options);
    }
    await this.#hash([...unknown.values()], options);
  }

  /** Notes what has been read of a file, and stands in that place among digests. */
  learn(file: FileNode, digests: Uint8Array, at: number): void {
    if (file.size === 0 || file.digest !== undefined) return;
    if (isWhole(file)) this.#stats.add(file.content.identity, digests, at);
    else this.#digests.set(file.content, digestAt(digests, at));
  }

  /**
   * Does work that reads the files of these entries, and learns their digests. Folders are noted as the work comes to
   * them, and the first one at once: so equal steps are told of each other, and the tree is not walked before the work.
   */
  async reading<T>(items: Iterable<LayerItem>, work: (items: Iterable<LayerItem>) => Promise<T>): Promise<T> {
    const folders = new Set<string>();
    const readers = this.#readers;
    let done: Promise<T> | undefined;
    const note = (item: LayerItem): boolean => {
      const read = foldersOf(item);
      for (const folder of read) {
        if (folders.has(folder)) continue;
        folders.add(folder);
        readers.set(folder, done!);
      }
      return read.length > 0;
    };
    function* noted(): Generator<LayerItem> {
      for (const item of items) {
        note(item);
        yield item;
      }
    }
    done = Promise.resolve().then(() => work({ [Symbol.iterator]: noted }));
    for (const item of items) if (note(item)) break;
    try {
      return await done;
    } finally {
      for (const folder of folders) if (readers.get(folder) === done) readers.delete(folder);
    }
  }

  /** Work under way that reads files of the same folders as these entries, and will know their digests. */
  readersOf(items: Iterable<LayerItem>): Promise<unknown>[] {
    if (this.#readers.size === 0) return [];
    const readers = new Set<Promise<unknown>>();
    for (const item of items) {
      for (const folder of foldersOf(item)) {
        const reader = this.#readers.get(folder);
        if (reader !== undefined) readers.add(reader);
      }
    }
    return [...readers];
  }

  #known(file: FileNode): Digest | undefined {
    if (file.digest !== undefined || file.size === 0) return file.digest ?? emptyDigest;
    if (isWhole(file)) {
      return this.#stats.read(file.content.identity, this.#one, 0) ? digestAt(this.#one, 0) : undefined;
    }
    const known = this.#digests.get(file.content);
    return typeof known === 'string' ? known : undefined;
  }

  async #hashOf(file: FileNode, options: CallOptions): Promise<Digest> {
    const hash = createHash('sha256');
    for await (const piece of this.#pieces(file, options)) hash.update(piece);
    return `sha256:${hash.digest('hex')}` as Digest;
  }

  async #hash(files: readonly HostFileNode[], options: CallOptions): Promise<Digest[]> {
    const digests = await this.#layers.hashFiles(files, options);
    for (const [i, file] of files.entries()) {
      setDigest(this.#one, 0, digests[i]!);
      this.learn(file, this.#one, 0);
    }
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

/** µs for each file of which something is known. */
const loadingCost = 0.5;

/** About how many µs it takes to read these files. */
function hashingCost(files: readonly FileNode[]): number {
  return files.reduce((sum, { size }) => sum + 12 + size / 1000, 0);
}

/** The folders of this machine that files have to be read in. */
function foldersOf(item: LayerItem): readonly string[] {
  const folders: string[] = [];
  for (const file of filesOf([item])) {
    if (file.size === 0 || !isHostFile(file)) continue;
    const folder = parentOf(file.content.path);
    // Files of a run nearly always come from one folder.
    if (folder !== folders.at(-1)) folders.push(folder);
  }
  return folders;
}

function isHostFile(file: FileNode): file is HostFileNode {
  return file.content.kind === 'host';
}

/** A file that is all of a file of this machine, and not a part of an archive. */
function isWhole(file: FileNode): file is HostFileNode {
  return file.content.kind === 'host' && file.content.offset === undefined;
}
