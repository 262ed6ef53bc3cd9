import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { isLadingError, LadingError } from '../errors/errors.js';
import type { Compression } from '../oci/media-types.js';
import type { Bytes } from './bytes.js';
import { decodeBzip2 } from './bzip2.js';
import { decodeXz } from './xz.js';
import { decodeZstd } from './zstd.js';

/** What archives can be compressed with besides layers: these are read, and never written. */
export type ArchiveCompression = Compression | 'bzip2' | 'xz';

/** What the first bytes of a stream say about its compression; needs six of them to tell them all apart. */
export function sniffCompression(head: Uint8Array): ArchiveCompression {
  const starts = (...magic: number[]): boolean => magic.every((byte, i) => head[i] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (head.length >= 4 && starts(0x42, 0x5a, 0x68)) return 'bzip2';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  return 'none';
}

const decoders = { bzip2: decodeBzip2, xz: decodeXz, zstd: decodeZstd } as const;

/**
 * The uncompressed bytes. Data that ends early, decodes wrongly or has garbage behind it is `CORRUPT_STREAM`; errors of
 * `content` itself pass unchanged. Abandoning the iteration closes everything.
 * @throws LadingError UNSUPPORTED for zstd on a Node without it
 */
export async function* decompress(
  content: Bytes,
  compression: ArchiveCompression,
  what: string,
): AsyncGenerator<Uint8Array> {
  if (compression === 'none') {
    yield* content;
    return;
  }
  if (compression !== 'gzip') {
    yield* decoded(content, decoders[compression], what);
    return;
  }
  const decoder = zlib.createGunzip({ chunkSize: 256 * 1024 });
  const source = Readable.from(content, { objectMode: false });
  let sourceError: unknown;
  source.once('error', error => {
    sourceError = error;
    decoder.destroy(error);
  });
  source.pipe(decoder);
  try {
    for await (const chunk of decoder) yield chunk as Buffer;
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    throw damaged(what, error);
  } finally {
    source.destroy();
    decoder.destroy();
  }
}

/** Tells what is wrong with the data from what is wrong with its source. */
async function* decoded(
  content: Bytes,
  decode: (content: Bytes) => AsyncGenerator<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array> {
  let failure: { readonly error: unknown } | undefined;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* content;
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  try {
    yield* decode(watched());
  } catch (error) {
    if (failure !== undefined) throw failure.error;
    throw isLadingError(error) ? error : damaged(what, error);
  }
}

function damaged(what: string, error: unknown): LadingError<'CORRUPT_STREAM'> {
  return new LadingError('CORRUPT_STREAM', `${what} is damaged: ${(error as Error).message}`, {
    details: { what },
    cause: error,
  });
}
