import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { LadingError } from '../errors/errors.js';
import type { ContentReader } from '../layer/content-reader.js';
import { openFile } from '../layer/file-cursor.js';
import { emptyDigest } from '../layer/file-digest.js';
import type { LayerStore } from '../layer/layer-store.js';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import { readCapped } from '../stream/read-capped.js';
import type { FileNode } from '../tree/node.js';

const pieceBytes = 1024 * 1024;
/** After so many bytes read in one go the event loop gets a turn: signals and progress must not wait for a big file. */
const turnBytes = 16 * 1024 * 1024;

/** Reads the files of a tree, wherever their bytes are, and knows their digests. */
export class FileAccess {
  readonly #read: ContentReader;
  /** Promises for files that are being read: steps at the same time read a file once. */
  readonly #digests = new WeakMap<FileNode, Digest | Promise<Digest>>();
  /** For the bytes that are being hashed; one for each file under way. */
  readonly #buffers: Buffer[] = [];
  #unyielded = 0;

  constructor(layers: Pick<LayerStore, 'openRange'>) {
    this.#read = (content, size, options) => layers.openRange(content.layer, content.offset, size, options);
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

  /** SHA-256 of the content; a file of this machine is read once for each build. */
  async digest(file: FileNode, options: CallOptions = {}): Promise<Digest> {
    const known = file.digest ?? this.#digests.get(file);
    if (known !== undefined) return known;
    const hashing = file.size === 0 ? emptyDigest : this.#hash(file, options);
    this.#digests.set(file, hashing);
    const digest = await hashing;
    this.#digests.set(file, digest);
    return digest;
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

  async #hash(file: FileNode, options: CallOptions): Promise<Digest> {
    const hash = createHash('sha256');
    const cursor = await openFile(file, this.#read, options);
    const buffer = this.#buffers.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
    try {
      for (let position = 0; position < file.size; position += pieceBytes) {
        const piece = buffer.subarray(0, Math.min(pieceBytes, file.size - position));
        // A promise for every file of this machine, which is read synchronously, would cost more than the reading.
        const reading = cursor.read(piece, 0, piece.length);
        if (reading !== undefined) await reading;
        hash.update(piece);
        this.#unyielded += piece.length + 4096;
        if (this.#unyielded >= turnBytes) await this.#giveTurn(options);
      }
      await cursor.finish();
    } finally {
      cursor.close();
      this.#buffers.push(buffer);
    }
    return `sha256:${hash.digest('hex')}` as Digest;
  }

  async #giveTurn(options: CallOptions): Promise<void> {
    this.#unyielded = 0;
    await yieldToEvents();
    options.signal?.throwIfAborted();
  }
}
