import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import type { Descriptor } from '../oci/descriptor.js';
import { digestAlgorithm } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import { checkDigest, Digester, sizeMismatch } from '../stream/verified.js';
import { smallFileSize } from './durable.js';
import { hasErrno, ifExists } from './io-error.js';

const chunkSize = 256 * 1024;
/** A pipe that somebody put in a blob's place must not hang whoever opens it. */
const readFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * The bytes of a stored blob, as a stream that fails rather than ends when they are not the descriptor's. The file is
 * open when this returns, so it can be read to its end even when it is deleted meanwhile.
 * @throws LadingError BLOB_NOT_FOUND, SIZE_MISMATCH, IO
 */
export async function openVerifiedFile(path: string, descriptor: Descriptor, options?: CallOptions): Promise<Readable> {
  const digester = new Digester(digestAlgorithm(descriptor.digest));
  if (descriptor.size >= smallFileSize) return openBlobFile(path, descriptor, 0, digester, options);
  const { signal } = options ?? {};
  signal?.throwIfAborted();
  const bytes = await readAtOnce(path, size => {
    if (size !== descriptor.size) throw sizeMismatch(descriptor, size);
  });
  if (bytes === undefined) throw blobNotFound(descriptor.digest, descriptor.urls);
  return new Readable({
    read() {
      try {
        signal?.throwIfAborted();
        if (bytes.length !== descriptor.size) throw sizeMismatch(descriptor, bytes.length);
        digester.update(bytes);
        checkDigest(digester, descriptor);
        this.push(bytes);
        this.push(null);
      } catch (error) {
        this.destroy(asError(error));
      }
    },
  });
}

/**
 * The bytes of a regular file that is not large; `undefined` when there is none. Threads would take longer to be woken than
 * this takes.
 * @throws LadingError SIZE_EXCEEDED, IO
 */
export function readRegularFile(path: string, limit: number): Promise<Buffer | undefined> {
  return readAtOnce(path, size => {
    if (size <= limit) return;
    throw new LadingError('SIZE_EXCEEDED', `${path} is larger than ${limit} bytes`, { details: { what: path, limit } });
  });
}

async function readAtOnce(path: string, check: (size: number) => void): Promise<Buffer | undefined> {
  return await ifExists(path, async () => {
    const file = openSync(path, readFlags);
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) return undefined;
      check(stats.size);
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** The bytes from `offset` on, which nobody has checked but for their number. @throws as {@link openVerifiedFile} */
export async function openFileFrom(
  path: string,
  descriptor: Descriptor,
  offset: number,
  options?: CallOptions,
): Promise<Readable> {
  return openBlobFile(path, descriptor, offset, undefined, options);
}

async function openBlobFile(
  path: string,
  descriptor: Descriptor,
  offset: number,
  digester: Digester | undefined,
  options: CallOptions = {},
): Promise<Readable> {
  options.signal?.throwIfAborted();
  const handle = await openRegularFile(path);
  if (handle === undefined) throw blobNotFound(descriptor.digest, descriptor.urls);
  try {
    const { size } = await handle.stat();
    if (size !== descriptor.size) throw sizeMismatch(descriptor, size);
    options.signal?.throwIfAborted();
  } catch (error) {
    await handle.close();
    throw ioError(error, path);
  }
  return new BlobFileStream(handle, path, descriptor, offset, digester, options.signal);
}

/** A handle on a regular file; `undefined` when there is none. */
export async function openRegularFile(path: string): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, readFlags);
  } catch (error) {
    if (hasErrno(error, 'ENOENT') || hasErrno(error, 'ENOTDIR')) return undefined;
    throw ioError(error, path);
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}

/** `urls`: where else it is kept. */
export function blobNotFound(digest: string, urls: readonly string[] = []): LadingError<'BLOB_NOT_FOUND'> {
  return new LadingError('BLOB_NOT_FOUND', `there is no blob ${digest}`, {
    details: { digest },
    hint:
      urls.length > 0
        ? 'It is kept elsewhere, and was left out: pull the image again with --foreign-layers.'
        : 'The image is not whole here: pull, load or build it again.',
  });
}

class BlobFileStream extends Readable {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #expected: Descriptor;
  readonly #digester: Digester | undefined;
  #position: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => {
    this.destroy(asError(this.#signal?.reason));
  };
  #reading: Promise<void> = Promise.resolve();

  constructor(
    handle: FileHandle,
    path: string,
    expected: Descriptor,
    offset: number,
    digester: Digester | undefined,
    signal: AbortSignal | undefined,
  ) {
    super({ highWaterMark: chunkSize });
    this.#handle = handle;
    this.#path = path;
    this.#expected = expected;
    this.#position = offset;
    this.#digester = digester;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  override _read(): void {
    this.#reading = this.#readChunk().catch(error => {
      this.destroy(asError(ioError(error, this.#path)));
    });
  }

  async #readChunk(): Promise<void> {
    const left = this.#expected.size - this.#position;
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkSize, left + 1));
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#position);
    this.#position += bytesRead;
    if (bytesRead > left || (bytesRead === 0 && left > 0)) throw sizeMismatch(this.#expected, this.#position);
    if (bytesRead > 0) {
      const chunk = buffer.subarray(0, bytesRead);
      this.#digester?.update(chunk);
      this.push(chunk);
      return;
    }
    if (this.#digester !== undefined) checkDigest(this.#digester, this.#expected);
    this.push(null);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    // A handle must not be closed under a read.
    this.#reading
      .then(() => this.#handle.close())
      .then(
        () => callback(error),
        closeError => callback(error ?? closeError),
      );
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
}
