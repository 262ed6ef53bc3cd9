import { Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { LadingError } from '../errors/errors.js';
import type { Bytes } from './bytes.js';

/**
 * Decodes zstd (RFC 8878): frames one behind another, and skippable ones among them. The decoder of some versions of Node
 * stops at the end of the first frame, so each frame has a decoder of its own. Data that is none, or ends early, is an error.
 * @throws LadingError UNSUPPORTED on a Node without zstd
 */
export async function* decodeZstd(content: Bytes): AsyncGenerator<Uint8Array> {
  const create = (zlib as unknown as { createZstdDecompress?: (options: object) => Transform }).createZstdDecompress;
  if (create === undefined) throw zstdUnavailable();
  const frames = new Frames(content);
  try {
    for (let kind = await frames.next(); kind !== 'end'; kind = await frames.next()) {
      if (kind === 'skippable') {
        for await (const _ of frames.bytes());
        continue;
      }
      const decoder = create({ chunkSize: 256 * 1024 });
      const source = Readable.from(frames.bytes(), { objectMode: false });
      source.once('error', error => decoder.destroy(error));
      source.pipe(decoder);
      try {
        for await (const chunk of decoder) yield chunk as Buffer;
      } finally {
        source.destroy();
        decoder.destroy();
      }
    }
  } finally {
    await frames.close();
  }
}

export function zstdUnavailable(): LadingError<'UNSUPPORTED'> {
  return new LadingError('UNSUPPORTED', 'this Node cannot read or write zstd', {
    details: { feature: 'zstd' },
    hint: 'Use Node 22.15 or newer, or gzip layers.',
  });
}

/** Finds where frames end without decoding them: each says how long its parts are. */
class Frames {
  readonly #content: AsyncIterator<Uint8Array>;
  /** What has come and is not yet part of a frame. */
  #rest: Uint8Array = Buffer.alloc(0);
  #magic: Buffer = Buffer.alloc(0);

  constructor(content: Bytes) {
    this.#content = content[Symbol.asyncIterator]();
  }

  /** What comes next; the bytes of the frame before must have been read. */
  async next(): Promise<'frame' | 'skippable' | 'end'> {
    if (this.#rest.length === 0 && !(await this.#more())) return 'end';
    this.#magic = await this.#take(4);
    const magic = this.#magic.readUInt32LE();
    if (magic === 0xfd2fb528) return 'frame';
    if (magic >>> 4 === 0x184d2a5) return 'skippable';
    throw new Error('there is no frame where one should begin');
  }

  /** The bytes of the frame that `next` found. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    yield this.#magic;
    if (this.#magic[0] !== 0x28) {
      const size = await this.#take(4);
      yield size;
      yield* this.#pieces(size.readUInt32LE());
      return;
    }
    const descriptor = await this.#take(1);
    yield descriptor;
    const flags = descriptor[0]!;
    const single = (flags >> 5) & 1;
    const [dictionary, contentSize] = [[0, 1, 2, 4][flags & 3]!, [single, 2, 4, 8][flags >> 6]!];
    yield* this.#pieces(1 - single + dictionary + contentSize);
    for (let last = false; !last; ) {
      const header = await this.#take(3);
      yield header;
      const value = header.readUIntLE(0, 3);
      last = (value & 1) === 1;
      // A block of one byte, repeated, holds it once.
      yield* this.#pieces(((value >> 1) & 3) === 1 ? 1 : value >> 3);
    }
    // The checksum.
    if ((flags & 4) !== 0) yield* this.#pieces(4);
  }

  async close(): Promise<void> {
    await this.#content.return?.();
  }

  async #more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#content.next();
      if (next.done) return false;
      this.#rest = next.value;
    }
    return true;
  }

  async *#pieces(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      if (!(await this.#more())) throw new Error('it ends early');
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async #take(length: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#pieces(length)) pieces.push(piece);
    return Buffer.concat(pieces);
  }
}
