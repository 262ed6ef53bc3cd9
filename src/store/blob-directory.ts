import { constants, lstatSync, renameSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { isLadingError, LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../oci/digest.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import { raced } from '../stream/raced.js';
import type { Rereadable } from '../stream/rereadable.js';
import { Digester, verified } from '../stream/verified.js';
import type { BlobClaim } from './claim.js';
import { smallFileSize, syncDirectory, writeAll, writeSmallFile } from './durable.js';
import { GatheredWrites } from './gathered-writes.js';
import { hasErrno, ifExists, onFile } from './io-error.js';
import { openFileFrom, openVerifiedFile } from './verified-file.js';
import { Writeback } from './writeback.js';

/** A file in `blobs/`. `digest` is missing when its name is none. */
export interface BlobFile {
  readonly path: string;
  readonly digest?: Digest | undefined;
  readonly size: number;
  readonly mtimeMs: number;
  /** When the file was made, where the file system knows; else when it was last changed. */
  readonly madeMs: number;
}

export interface PutOptions extends CallOptions {
  /** Sees every chunk on its way; a promise holds the next one back. */
  readonly observe?: ((chunk: Uint8Array) => Promise<void> | undefined) | undefined;
}

/**
 * `blobs/<algorithm>/<hex>` of an image layout (OCI image-spec, image-layout.md): files that are complete from the
 * moment they have their name.
 */
export class BlobDirectory {
  readonly #root: string;
  readonly #temporary: () => Promise<string>;
  readonly #claim: BlobClaim;
  /** Folders with names that may not be on the disk yet, each with the number of its last change. */
  readonly #unsynced = new Map<string, number>();
  #changes = 0;

  /**
   * `temporary` gives a new path on the file system of `root`, in a folder that exists. `claim` is asked before a blob
   * that is there is counted on, and says whether it will stay.
   */
  constructor(root: string, temporary: () => Promise<string>, claim: BlobClaim) {
    this.#root = root;
    this.#temporary = temporary;
    this.#claim = claim;
  }

  path(digest: Digest): string {
    return join(this.#root, 'blobs', digestAlgorithm(digest), digestHex(digest));
  }

  /** Size and time of a stored blob; `undefined` when it is not there. */
  async stat(digest: Digest): Promise<BlobFile | undefined> {
    const path = this.path(digest);
    // At once: hundreds are looked for in a row, and a thread that is woken for it costs many times what it does.
    const stats = await ifExists(path, async () => statSync(path, { throwIfNoEntry: false }));
    return stats?.isFile() ? { path, digest, ...factsOf(stats) } : undefined;
  }

  /** Whether the blob is there, and stays there for as long as whoever asks is at work. */
  async has(descriptor: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean> {
    const file = await this.stat(descriptor.digest);
    return file !== undefined && file.size === descriptor.size && (await this.#claim(file.path));
  }

  async open(descriptor: Descriptor, options?: CallOptions): Promise<Readable> {
    return openVerifiedFile(this.path(descriptor.digest), descriptor, options);
  }

  /** As {@link open}, from a place on and not checked. */
  async openFrom(descriptor: Descriptor, offset: number, options?: CallOptions): Promise<Readable> {
    return openFileFrom(this.path(descriptor.digest), descriptor, offset, options);
  }

  /** Writes a blob, or fails and leaves nothing. */
  async put(descriptor: Descriptor, content: Bytes, { signal, observe }: PutOptions = {}): Promise<void> {
    const chunks = abortable(verified(content, descriptor), signal);
    if (descriptor.size < smallFileSize) {
      const pieces: Uint8Array[] = [];
      for await (const chunk of chunks) {
        pieces.push(chunk);
        await observe?.(chunk);
      }
      // Whoever sends is asked for the next one before this one is written: the blobs of several connections come at once.
      await setImmediate();
      await this.#add(async temporary => {
        await writeSmallFile(temporary, pieces);
        return descriptor;
      });
      return;
    }
    await this.write(async write => {
      for await (const chunk of chunks) {
        await write(chunk);
        await observe?.(chunk);
      }
      return descriptor;
    });
  }

  /**
   * Writes a blob through a file that stays when this fails, and goes on behind what an earlier attempt has left there;
   * that is read again, and checked like the rest. What turns out to be wrong is removed. Nobody else may use the file.
   */
  async putThrough(
    partial: string,
    descriptor: Descriptor,
    content: Rereadable,
    { signal, observe }: PutOptions = {},
  ): Promise<void> {
    const handle = await onFile(partial, () => open(partial, constants.O_RDWR | constants.O_CREAT, 0o644));
    try {
      const { size: kept } = await onFile(partial, () => handle.stat());
      const writes = new GatheredWrites(handle, kept);
      let position = 0;
      try {
        const all = verified(continued(handle, kept, descriptor, content), descriptor);
        for await (const chunk of abortable(all, signal)) {
          if (position >= kept) await onFile(partial, () => writes.write(chunk));
          position += chunk.length;
          await observe?.(chunk);
        }
      } finally {
        // Also what came before a failure is there for the next attempt.
        await onFile(partial, () => writes.flush());
      }
      await onFile(partial, () => handle.sync());
    } catch (error) {
      // A disk that is full must not stay full of what it could not hold.
      const useless = (['DIGEST_MISMATCH', 'SIZE_MISMATCH', 'IO'] as const).some(code => isLadingError(error, code));
      if (useless) await rm(partial, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    if (!(await this.#place(partial, descriptor))) await rm(partial, { force: true });
  }

  /** Writes bytes as the blob that they turn out to be, or fails and leaves nothing. */
  async receive(content: Bytes, { signal }: CallOptions = {}): Promise<Pick<Descriptor, 'digest' | 'size'>> {
    return await this.write(async write => {
      const digester = new Digester();
      for await (const chunk of content) {
        signal?.throwIfAborted();
        digester.update(chunk);
        await write(chunk);
      }
      return { digest: digester.digest(), size: digester.size };
    });
  }

  /**
   * Writes a blob whose digest is only known at its end: `produce` writes through the function that it is given and
   * returns what it wrote.
   */
  async write<T extends Pick<Descriptor, 'digest' | 'size'>>(
    produce: (write: (chunk: Uint8Array) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    return await this.#add(async temporary => {
      const handle = await open(temporary, 'wx', 0o644).catch(error => {
        throw ioError(error, temporary);
      });
      const writeback = new Writeback(handle);
      try {
        const result = await produce(async chunk => {
          await onFile(temporary, () => writeAll(handle, chunk));
          writeback.wrote(chunk.length);
        });
        // What is renamed before it is on the disk can be an empty file under a good name after a power cut.
        await onFile(temporary, () => writeback.ended());
        await onFile(temporary, () => handle.sync());
        return result;
      } finally {
        await writeback.ended().catch(() => {});
        await handle.close();
      }
    });
  }

  /** Gives a file that `write` makes, whole and on the disk, the name of the blob that it is. */
  async #add<T extends Pick<Descriptor, 'digest' | 'size'>>(write: (temporary: string) => Promise<T>): Promise<T> {
    const temporary = await this.#temporary();
    let placed = false;
    try {
      const written = await write(temporary);
      placed = await this.#place(temporary, written);
      if (placed) await this.#claim(this.path(written.digest), true);
      return written;
    } finally {
      if (!placed) await rm(temporary, { force: true });
    }
  }

  /** Whether the temporary file was used: one that is there already is never replaced, somebody may be removing it. */
  async #place(temporary: string, written: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean> {
    const path = this.path(written.digest);
    const folder = await this.#folder(digestAlgorithm(written.digest));
    try {
      if (await this.has(written)) return false;
      // At once: a thread that is woken for it would first flush the blobs before this one.
      renameSync(temporary, path);
      return true;
    } catch (error) {
      // Windows refuses to replace a file that somebody reads; the same bytes are there already.
      if ((hasErrno(error, 'EPERM') || hasErrno(error, 'EACCES')) && (await this.has(written))) return false;
      throw ioError(error, path);
    } finally {
      // Not before: a flush meanwhile, for another blob, must not count for this one.
      this.#unsynced.set(folder, ++this.#changes);
    }
  }

  /** A layout from elsewhere may have a link for a folder: what is written must not land where that points. */
  async #folder(algorithm: string): Promise<string> {
    const blobs = join(this.#root, 'blobs');
    const folder = join(blobs, algorithm);
    await onFile(folder, async () => {
      if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) await mkdir(folder, { recursive: true });
      for (const path of [blobs, folder]) {
        if (lstatSync(path).isDirectory()) continue;
        throw new LadingError('PATH_INVALID', `${path} is a link, not a folder`, {
          details: { path, problem: 'not a folder' },
          hint: 'Write to a layout whose blobs lie in the layout itself.',
        });
      }
    });
    return folder;
  }

  /** Makes the names of all blobs written so far last; called before a name points to one. */
  async flush(): Promise<void> {
    for (const [folder, change] of [...this.#unsynced]) {
      await onFile(folder, () => syncDirectory(folder));
      if (this.#unsynced.get(folder) === change) this.#unsynced.delete(folder);
    }
  }

  /** Every file in `blobs/`, those with wrong names too. */
  async *list(): AsyncGenerator<BlobFile> {
    const blobs = join(this.#root, 'blobs');
    for (const algorithm of (await ifExists(blobs, () => readdir(blobs))) ?? []) {
      const folder = join(blobs, algorithm);
      for (const name of (await ifExists(folder, () => readdir(folder))) ?? []) {
        const path = join(folder, name);
        const stats = await ifExists(path, () => stat(path));
        if (stats === undefined) continue;
        const text = `${algorithm}:${name}`;
        const digest = isDigest(text) && stats.isFile() ? text : undefined;
        yield { path, digest, ...factsOf(stats) };
      }
    }
  }

  async remove(digest: Digest): Promise<void> {
    const path = this.path(digest);
    await onFile(path, () => rm(path, { force: true }));
  }
}

function factsOf({ size, mtimeMs, birthtimeMs }: Stats): Pick<BlobFile, 'size' | 'mtimeMs' | 'madeMs'> {
  return { size, mtimeMs, madeMs: birthtimeMs > 0 ? birthtimeMs : mtimeMs };
}

/** What the file has, then the rest of the content. */
async function* continued(
  handle: FileHandle,
  kept: number,
  { size }: Descriptor,
  content: Rereadable,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < kept; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(256 * 1024, kept - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
  if (kept < size || kept === 0) yield* content.from(kept);
}

/** Ends with the signal's reason at the next chunk, also when the source knows no signal. */
async function* abortable(
  content: AsyncGenerator<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (signal === undefined) {
    yield* content;
    return;
  }
  try {
    signal.throwIfAborted();
    for (;;) {
      // Not `Promise.race` with one promise for all: that would hold on to every chunk until the last.
      const next = await raced(content.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a source that hangs in `next` would hang this too.
    content.return(undefined).catch(() => {});
  }
}
