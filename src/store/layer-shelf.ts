import { open, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { isSeekable, openSegmentRange, type SeekableLayer } from '../layer/open-range.js';
import { SegmentCache } from '../layer/segment-cache.js';
import { tailSize } from '../layer/segment-format.js';
import { type SimilarLayer, similarLayer } from '../layer/similar-layer.js';
import type { TarPiece } from '../layer/write-layer-files.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { Compression } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import { raced } from '../stream/raced.js';
import { Digester, digestMismatch } from '../stream/verified.js';
import { indexOfRows, rowsOf } from '../tree/entry-rows.js';
import type { LayerIndex } from '../tree/layer-index.js';
import type { LayerRef } from '../tree/node.js';
import type { BlobDirectory } from './blob-directory.js';
import { writeAll } from './durable.js';
import { renew } from './file-lock.js';
import { ifExists, onFile } from './io-error.js';
import type { LayerFiles, OpenRows } from './layer-files.js';
import { blobNotFound, openRegularFile } from './verified-file.js';

/** Less than a segment. */
const nearBytes = 256 * 1024;

/** Reads stored layers as tars: their index, and any range of their bytes. What is missing for that is made on demand. */
export class LayerShelf {
  readonly #blobs: BlobDirectory;
  readonly #files: LayerFiles;
  readonly #segments = new SegmentCache();
  /** What is being made, so that it is made once. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(blobs: BlobDirectory, files: LayerFiles) {
    this.#blobs = blobs;
    this.#files = files;
  }

  /** @throws LadingError DIGEST_MISMATCH when the blob holds another tar than `layer` says */
  async index(layer: LayerRef, options: CallOptions = {}): Promise<LayerIndex> {
    return (await this.#look(layer, options)).index;
  }

  /** The stream fails with `BLOB_NOT_FOUND` when the blob is not there. */
  async openRange(layer: LayerRef, offset: number, length: number, options: CallOptions = {}): Promise<Readable> {
    const { index, compression } = await this.#look(layer, options);
    const seekable = isSeekable(compression, index);
    if (!seekable)
      await raced(
        this.#once(`spool ${layer.diffId}`, () => this.#spool(layer)),
        options.signal,
      );
    const path = seekable ? this.#blobs.path(layer.blob.digest) : this.#files.spoolPath(layer.diffId);
    const source: SeekableLayer = {
      compression: seekable ? compression : 'none',
      index,
      blobSize: seekable ? layer.blob.size : index.size,
      readBlob: (start, end) => readPiece(path, layer.blob.digest, start, end),
    };
    return openSegmentRange(source, offset, length, { ...options, cache: this.#segments });
  }

  /** Parts of a layer's tar, for a reader that wants much of it in order: see `TarPieces`. */
  async *pieces(
    layer: LayerRef,
    ranges: ReadonlyArray<readonly [start: number, end: number]>,
    options: CallOptions = {},
  ): AsyncGenerator<TarPiece> {
    const { index, compression } = await this.#look(layer, options);
    if (ranges.length === 0) return;
    if (!isSeekable(compression, index)) {
      yield* this.#wholePieces(layer, ranges.at(-1)![1], options);
      return;
    }
    const source: SeekableLayer = {
      compression,
      index,
      blobSize: layer.blob.size,
      readBlob: (start, end) => readPiece(this.#blobs.path(layer.blob.digest), layer.blob.digest, start, end),
    };
    for (const [start, end] of nearRanges(ranges)) {
      let at = start;
      for await (const bytes of openSegmentRange(source, start, end - start, options)) {
        yield { at, bytes: bytes as Uint8Array };
        at += (bytes as Uint8Array).length;
      }
    }
  }

  /** From the beginning up to `end`: the blob cannot be read from anywhere else. */
  async *#wholePieces(layer: LayerRef, end: number, options: CallOptions): AsyncGenerator<TarPiece> {
    const { uncompressed } = await import('./layer-tap.js');
    const content = await this.#blobs.open(layer.blob, options);
    try {
      let at = 0;
      for await (const bytes of uncompressed(content, `the layer ${layer.diffId}`)) {
        yield { at, bytes };
        at += bytes.length;
        if (at >= end) return;
      }
    } finally {
      content.destroy();
    }
  }

  /** A layer that was packed here, for what of it can be used again, to be closed; `undefined` when it was not, or is gone. */
  async similar(layer: LayerRef): Promise<(SimilarLayer & Pick<OpenRows, 'close'>) | undefined> {
    const known = await this.#files.blobLayer(layer.blob.digest);
    if (known?.packed === undefined || known.diffId !== layer.diffId) return undefined;
    const rows = await this.#files.segmentRows(layer.diffId);
    if (rows === undefined) return undefined;
    const { compression, segments } = known.packed;
    const end = layer.blob.size - tailSize(compression);
    const { find } = similarLayer(this.#blobs.path(layer.blob.digest), end, segments, rows);
    return { find, close: rows.close };
  }

  async openPart(blob: Descriptor, offset: number, length: number, options: CallOptions = {}): Promise<Readable> {
    if (offset === 0 && length === blob.size) return this.#blobs.open(blob, options);
    const source: SeekableLayer = {
      compression: 'none',
      index: { diffId: blob.digest, size: blob.size },
      blobSize: blob.size,
      readBlob: (start, end) => readPiece(this.#blobs.path(blob.digest), blob.digest, start, end),
    };
    return openSegmentRange(source, offset, length, options);
  }

  async #look(layer: LayerRef, options: CallOptions): Promise<{ index: LayerIndex; compression: Compression }> {
    options.signal?.throwIfAborted();
    // The digests tell a plain tar better than a media type, which anybody can write.
    const plain = layer.blob.digest === layer.diffId;
    const known = await this.#files.blobLayer(layer.blob.digest);
    if (known !== undefined && known.diffId !== layer.diffId) throw digestMismatch(layer.diffId, known.diffId);
    const index = known && (await this.#files.index(layer.diffId));
    if (index !== undefined) {
      if (plain || known?.packed === undefined) return { index, compression: plain ? 'none' : 'gzip' };
      const { segments, compression } = known.packed;
      const { diffId, size } = index;
      return { index: indexOfRows({ diffId, size, segments }, index.rows ?? rowsOf(index.entries)), compression };
    }
    // Whoever waits with us must not fall with us when only we are told to stop: the work itself takes no signal.
    const made = await raced(
      this.#once(`index ${layer.blob.digest}`, () => this.#makeIndex(layer)),
      options.signal,
    );
    if (made.diffId !== layer.diffId) throw digestMismatch(layer.diffId, made.diffId);
    return { index: made, compression: plain ? 'none' : 'gzip' };
  }

  async #makeIndex({ blob, diffId }: LayerRef): Promise<LayerIndex> {
    const { indexBlob } = await import('./layer-tap.js');
    const index = await indexBlob(await this.#blobs.open(blob), `the layer ${diffId}`);
    await this.#files.save(blob.digest, index);
    return index;
  }

  async #spool({ blob, diffId }: LayerRef): Promise<void> {
    const path = this.#files.spoolPath(diffId);
    if ((await ifExists(path, () => stat(path))) !== undefined) {
      await renew(path);
      return;
    }
    const { uncompressed } = await import('./layer-tap.js');
    const content = await this.#blobs.open(blob);
    const temporary = await this.#files.temporary();
    const digester = new Digester();
    try {
      const handle = await onFile(temporary, () => open(temporary, 'wx', 0o644));
      try {
        for await (const chunk of uncompressed(content, `the layer ${diffId}`)) {
          digester.update(chunk);
          await onFile(temporary, () => writeAll(handle, chunk));
        }
      } finally {
        await handle.close();
      }
      const actual = digester.digest();
      if (actual !== diffId) throw digestMismatch(diffId, actual);
      await this.#files.placeSpool(temporary, diffId);
    } catch (error) {
      content.destroy();
      await rm(temporary, { force: true });
      throw error;
    }
  }

  #once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(key) as Promise<T> | undefined;
    if (underWay !== undefined) return underWay;
    const started = work().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, started);
    return started;
  }
}

/** Ranges that lie close to each other as one: what is between them costs less than to begin anew. */
function nearRanges(
  ranges: ReadonlyArray<readonly [start: number, end: number]>,
): Array<readonly [start: number, end: number]> {
  const near: Array<readonly [number, number]> = [];
  for (const [start, end] of ranges) {
    const last = near.at(-1);
    if (last !== undefined && start - last[1] < nearBytes) near[near.length - 1] = [last[0], end];
    else near.push([start, end]);
  }
  return near;
}

/** Opened for one piece at a time: most ranges are files that lie in a segment that is in memory already. */
async function readPiece(path: string, digest: Digest, start: number, end: number): Promise<Buffer> {
  const handle = await openRegularFile(path);
  if (handle === undefined) throw blobNotFound(digest);
  try {
    const buffer = Buffer.allocUnsafeSlow(end - start);
    const { bytesRead } = await onFile(path, () => handle.read(buffer, 0, buffer.length, start));
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
