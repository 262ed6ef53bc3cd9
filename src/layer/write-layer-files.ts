import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { FileContent, FileNode, LayerRef } from '../tree/node.js';
import { checkFileDigest, sha256 } from './file-digest.js';
import { RootDirectory } from './root-directory.js';
import type { SegmentCrew } from './segment-crew.js';
import { type SharedBytes, sharedBytes } from './shared-bytes.js';
import { firstPiece, furtherPiece, lastPiece, type WriteJob, wholeFile, writeColumns, writeFile } from './write-job.js';

/** Bytes of an uncompressed tar, and where in it they are. */
export interface TarPiece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * The parts of a layer's tar that are asked for, in order, each `[start, end)`; there may be more between them. It is read
 * once, from the beginning.
 */
export type TarPieces = (
  layer: LayerRef,
  ranges: ReadonlyArray<readonly [start: number, end: number]>,
  options: CallOptions,
) => AsyncIterable<TarPiece>;

export interface LayerFile {
  readonly path: string;
  readonly node: FileNode;
  readonly content: Extract<FileContent, { readonly kind: 'layer' }>;
}

export interface WriteLayerFilesOptions extends CallOptions {
  readonly ownership: 'keep' | 'none';
  readonly crew: SegmentCrew;
  readonly pieces: TarPieces;
}

const bufferBytes = 2 * 1024 * 1024;
const filesInBatch = 400;
/** Larger files are written in pieces. */
const largeFile = 1024 * 1024;

/**
 * Writes files that lie in layers below a root: each layer is read once, in its order, while the crew writes. Each content
 * is held to its digest. When it fails, nothing is under way any more.
 * @throws LadingError DIGEST_MISMATCH, CORRUPT_STREAM, IO, PATH_INVALID
 */
export async function writeLayerFiles(
  files: Iterable<LayerFile>,
  root: string,
  options: WriteLayerFilesOptions,
): Promise<void> {
  const layers = new Map<Digest, LayerFile[]>();
  let count = 0;
  let bytes = 0;
  for (const file of files) {
    count += 1;
    bytes += file.node.size;
    const { diffId } = file.content.layer;
    const known = layers.get(diffId);
    if (known === undefined) layers.set(diffId, [file]);
    else known.push(file);
  }
  const writer = new BatchWriter(root, options, count <= filesInBatch && bytes <= bufferBytes);
  try {
    for (const group of layers.values()) {
      group.sort((a, b) => a.content.offset - b.content.offset);
      // One content under two nodes is read a second time: a stream does not go back.
      for (let rest = group; rest.length > 0; ) rest = await writeInOrder(rest, writer, options);
    }
    await writer.flush();
  } finally {
    await writer.settle();
  }
  writer.throwFailure();
}

/** @returns files that lie where the reading has passed */
async function writeInOrder(
  files: readonly LayerFile[],
  writer: BatchWriter,
  { pieces, signal }: WriteLayerFilesOptions,
): Promise<LayerFile[]> {
  const again: LayerFile[] = [];
  const ahead: LayerFile[] = [];
  let end = 0;
  for (const file of files) {
    const { size } = file.node;
    if (size > 0 && file.content.offset < end) again.push(file);
    else {
      ahead.push(file);
      if (size > 0) end = file.content.offset + size;
    }
  }
  const filled = ahead.filter(({ node }) => node.size > 0);
  const ranges = filled.map(({ content, node }) => [content.offset, content.offset + node.size] as const);
  const feed = ranges.length === 0 ? undefined : new TarFeed(pieces(files[0]!.content.layer, ranges, { signal }));
  try {
    for (const file of ahead) {
      signal?.throwIfAborted();
      writer.throwFailure();
      if (file.node.size > largeFile) await writer.large(file, feed!);
      else await writer.add(file, feed);
    }
  } finally {
    await feed?.close();
  }
  return again;
}

/** The pieces of a tar as something to be read forward. */
class TarFeed {
  readonly #iterator: AsyncIterator<TarPiece>;
  #piece: TarPiece = { at: 0, bytes: new Uint8Array(0) };

  constructor(pieces: AsyncIterable<TarPiece>) {
    this.#iterator = pieces[Symbol.asyncIterator]();
  }

  /** Copies exactly `length` bytes, from `position` of the tar on. */
  read(position: number, target: Uint8Array, at: number, length: number): Promise<void> | undefined {
    const start = position - this.#piece.at;
    if (start >= 0 && start + length <= this.#piece.bytes.length) {
      target.set(this.#piece.bytes.subarray(start, start + length), at);
      return undefined;
    }
    return this.#readOn(position, target, at, length);
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #readOn(position: number, target: Uint8Array, at: number, length: number): Promise<void> {
    for (let done = 0; done < length; ) {
      const start = position + done - this.#piece.at;
      if (start >= 0 && start < this.#piece.bytes.length) {
        const bytes = this.#piece.bytes.subarray(start, start + length - done);
        target.set(bytes, at + done);
        done += bytes.length;
        continue;
      }
      const next = await this.#iterator.next();
      if (next.done) {
        throw new LadingError('CORRUPT_STREAM', 'a layer ends before a file that its index has', {
          details: { what: 'a layer' },
          hint: 'The blob or its index is damaged: check the store with lading fsck.',
        });
      }
      this.#piece = next.value;
    }
  }
}

interface Row {
  readonly file: LayerFile;
  readonly at: number;
  readonly length: number;
  readonly position: number;
  readonly part: number;
}

/** Gathers files until they are worth a job, and keeps as many jobs under way as the crew can do. */
class BatchWriter {
  readonly #root: string;
  readonly #alone: boolean;
  readonly #options: WriteLayerFilesOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly #idle: SharedBytes[] = [];
  #raw: SharedBytes | undefined;
  #rows: Row[] = [];
  #used = 0;
  #failure: { readonly error: unknown } | undefined;

  /** `alone`: it is all one job. */
  constructor(root: string, options: WriteLayerFilesOptions, alone: boolean) {
    this.#alone = alone;
    this.#root = root;
    this.#options = options;
  }

  async add(file: LayerFile, feed: TarFeed | undefined): Promise<void> {
    const { size } = file.node;
    if (this.#used + size > bufferBytes || this.#rows.length >= filesInBatch) await this.flush();
    const raw = this.#buffer();
    const reading = size === 0 ? undefined : feed!.read(file.content.offset, raw, this.#used, size);
    if (reading !== undefined) await reading;
    this.#rows.push({ file, at: this.#used, length: size, position: 0, part: wholeFile });
    this.#used += size;
  }

  /** A file in pieces: hashed here, while the crew writes them. */
  async large(file: LayerFile, feed: TarFeed): Promise<void> {
    await this.flush();
    const { node, content } = file;
    const hash = createHash('sha256');
    const pieces: Promise<void>[] = [];
    for (let position = 0; position < node.size; position += largeFile) {
      this.#options.signal?.throwIfAborted();
      const raw = this.#buffer();
      const length = Math.min(largeFile, node.size - position);
      await feed.read(content.offset + position, raw, 0, length);
      hash.update(raw.subarray(0, length));
      this.#rows.push({ file, at: 0, length, position, part: position === 0 ? firstPiece : furtherPiece });
      const written = await this.flush();
      // It is made by the first piece; the others then go in any order.
      if (position === 0) await written;
      else pieces.push(written!);
    }
    checkFileDigest(node, `sha256:${hash.digest('hex')}` as Digest);
    await Promise.all(pieces);
    this.#rows.push({ file, at: 0, length: 0, position: 0, part: lastPiece });
  }

  /** Hands over what is gathered, as soon as the crew has room. @returns what ends when it is written */
  async flush(): Promise<Promise<void> | undefined> {
    if (this.#rows.length === 0) return undefined;
    const { crew, ownership } = this.#options;
    const rows = this.#rows;
    const numbers = new Float64Array(rows.length * writeColumns.length);
    for (const [i, { file, at, length, position, part }] of rows.entries()) {
      const { mode, uid, gid, mtime } = file.node;
      numbers.set([at, length, position, part, mode, uid, gid, mtime], i * writeColumns.length);
    }
    const job: WriteJob = {
      kind: 'write',
      raw: this.#buffer(),
      root: this.#root,
      paths: rows.map(({ file }) => file.path),
      digests: rows.map(({ file, part }) =>
        part === wholeFile ? (file.node.digest?.slice('sha256:'.length) ?? '') : '',
      ),
      numbers,
      owners: ownership === 'keep',
    };
    this.#raw = undefined;
    this.#rows = [];
    this.#used = 0;
    const written = this.#run(job, rows).finally(() => this.#underWay.delete(written));
    this.#underWay.add(written);
    while (this.#underWay.size >= crew.capacity) await Promise.race(this.#underWay);
    return written;
  }

  /** Waits for what is under way, well or not. */
  async settle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #run(job: WriteJob, rows: readonly Row[]): Promise<void> {
    try {
      // What is done here when there are no threads is synchronous: timers and signals get their turn.
      await setImmediate();
      const result = await this.#options.crew.run(job, { alone: this.#alone });
      this.#idle.push(result.raw);
      if (result.kind === 'failed') this.#explain({ ...job, raw: result.raw }, result.file, rows);
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /** Does what has failed in a thread again: so its error is had in full. */
  #explain(job: WriteJob, place: number, rows: readonly Row[]): void {
    const { file, at, length } = rows[place]!;
    const folders = new RootDirectory(this.#root);
    try {
      if (!writeFile(job, place, folders)) checkFileDigest(file.node, sha256(job.raw.subarray(at, at + length)));
      // What was in the way has gone: the rest of the job is still to be done.
      for (let next = place + 1; next < rows.length; next++) {
        if (!writeFile(job, next, folders)) {
          const row = rows[next]!;
          checkFileDigest(row.file.node, sha256(job.raw.subarray(row.at, row.at + row.length)));
        }
      }
    } catch (error) {
      throw ioError(error, file.path.toWellFormed());
    } finally {
      folders.close();
    }
  }

  #buffer(): SharedBytes {
    this.#raw ??= this.#idle.pop() ?? sharedBytes(bufferBytes);
    return this.#raw;
  }
}
