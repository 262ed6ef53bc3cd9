import { PassThrough } from 'node:stream';
import { isLadingError, LadingError } from '../errors/errors.js';
import { indexLayer } from '../layer/index-layer.js';
import type { Bytes } from '../stream/bytes.js';
import { decompress, sniffCompression } from '../stream/compression.js';
import type { LayerIndex } from '../tree/layer-index.js';

/** What a blob is as a layer, or why it is none. */
export type TapResult =
  | { readonly index: LayerIndex; readonly problem?: undefined }
  | { readonly index?: undefined; readonly problem: LadingError };

/**
 * Indexes a layer while its compressed bytes go by on their way elsewhere. A blob that is no layer does not stop them:
 * an image may hold anything, and only who builds on it needs a layer.
 */
export class LayerTap {
  /** Of chunks, not of bytes: those would be joined, which is a copy, whenever several wait. */
  readonly #pipe = new PassThrough({ objectMode: true, highWaterMark: 8 });
  readonly #result: Promise<TapResult>;

  constructor() {
    this.#result = indexBlob(this.#pipe, 'the layer')
      .then(
        index => ({ index }),
        error => {
          if (isLadingError(error)) return { problem: error };
          throw error;
        },
      )
      .finally(() => this.#pipe.destroy());
    this.#result.catch(() => {});
  }

  /** Takes a chunk; the promise, where there is one, holds the giver back until there is room for more. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#pipe.destroyed || this.#pipe.write(chunk)) return undefined;
    return new Promise(resolve => {
      const done = (): void => {
        this.#pipe.off('drain', done).off('close', done);
        resolve();
      };
      this.#pipe.on('drain', done).on('close', done);
    });
  }

  /** All bytes have been written. */
  async end(): Promise<TapResult> {
    if (!this.#pipe.destroyed) this.#pipe.end();
    return this.#result;
  }

  /** There will be no more bytes, and nobody wants the result. */
  async abort(): Promise<void> {
    this.#pipe.destroy();
    await this.#result.catch(() => {});
  }
}

/** The index of a layer, from the bytes of its blob. */
export function indexBlob(content: Bytes, what: string): Promise<LayerIndex> {
  return indexLayer(uncompressed(content, what));
}

/**
 * The tar inside a layer blob, by what its first bytes say. The media type is not asked: enough images are in use whose
 * media type is wrong, and every other reader looks at the bytes.
 */
export async function* uncompressed(content: Bytes, what: string): AsyncGenerator<Uint8Array> {
  const iterator = content[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  try {
    while (length < 6) {
      const next = await iterator.next();
      if (next.done) break;
      first.push(next.value);
      length += next.value.length;
    }
    const head = first.length === 1 ? first[0]! : Buffer.concat(first);
    const compression = sniffCompression(head);
    if (compression === 'bzip2' || compression === 'xz') {
      throw new LadingError('UNSUPPORTED', `${what} is compressed with ${compression}`, {
        details: { feature: `${compression} layers` },
        hint: 'Layers are plain, gzip or zstd: compress it again.',
      });
    }
    yield* decompress(continued(head, iterator), compression, what);
  } finally {
    await iterator.return?.();
  }
}

async function* continued(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
