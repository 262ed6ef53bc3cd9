import { closeSync, fsync, openSync, renameSync, writeSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { hasErrno, onFile } from './io-error.js';

/** Makes the names in a folder last through a power cut. File systems that cannot sync a folder do not need it. */
export async function syncDirectory(path: string): Promise<void> {
  let folder: number;
  try {
    folder = openSync(path, 'r');
  } catch (error) {
    // Windows does not open folders.
    if (hasErrno(error, 'EISDIR') || hasErrno(error, 'EPERM') || hasErrno(error, 'EACCES')) return;
    throw error;
  }
  try {
    await flushed(folder);
  } catch (error) {
    if (!hasErrno(error, 'EINVAL') && !hasErrno(error, 'EPERM') && !hasErrno(error, 'ENOTSUP')) throw error;
  } finally {
    closeSync(folder);
  }
}

export interface ReplaceOptions {
  /** A path on the same file system that nobody else uses. */
  readonly temporary: string;
  /** Whether it must last through a power cut; without it only through the death of this process. */
  readonly durable: boolean;
  /** Default 0o644. */
  readonly mode?: number | undefined;
}

/** Gives a file a new content in one step: a reader sees all of the old or all of the new. */
export async function replaceFile(
  path: string,
  pieces: Uint8Array | readonly Uint8Array[],
  options: ReplaceOptions,
): Promise<void> {
  const { temporary, durable, mode = 0o644 } = options;
  const all = pieces instanceof Uint8Array ? [pieces] : pieces;
  const size = all.reduce((sum, piece) => sum + piece.length, 0);
  await onFile(path, async () => {
    try {
      if (size < smallFileSize) await writeSmallFile(temporary, all, { durable, mode });
      else {
        const handle = await open(temporary, 'wx', mode);
        try {
          await writePieces(handle, all);
          if (durable) await handle.sync();
        } finally {
          await handle.close();
        }
      }
      renameSync(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    if (durable) await syncDirectory(dirname(path));
  });
}

/** In bytes: what is less is written as quickly as a thread is woken. */
export const smallFileSize = 64 * 1024;

/**
 * Makes a new file of a few kB; `durable`: it is on the disk when this returns. Only for that a thread is woken: to do the rest
 * there, too, takes several times as long as the rest.
 */
export async function writeSmallFile(
  path: string,
  pieces: readonly Uint8Array[],
  { durable = true, mode = 0o644 }: Partial<Pick<ReplaceOptions, 'durable' | 'mode'>> = {},
): Promise<void> {
  await onFile(path, async () => {
    const file = openSync(path, 'wx', mode);
    try {
      for (const piece of pieces) {
        for (let done = 0; done < piece.length; ) done += writeSync(file, piece, done);
      }
      if (durable) await flushed(file);
    } finally {
      closeSync(file);
    }
  });
}

const flushed = promisify(fsync);

/** Systems take no more than 1024 pieces in one call. */
const gatheredPieces = 256;

/** Writes pieces one behind another, many with each call. */
export async function writePieces(handle: FileHandle, pieces: readonly Uint8Array[], position?: number): Promise<void> {
  let done = 0;
  for (let start = 0; start < pieces.length; start += gatheredPieces) {
    const gathered = pieces.slice(start, start + gatheredPieces);
    const size = gathered.reduce((sum, { length }) => sum + length, 0);
    const at = position === undefined ? undefined : position + done;
    const { bytesWritten } = await handle.writev(gathered, at);
    // A disk that is nearly full takes a part.
    if (bytesWritten < size) {
      const rest = Buffer.concat(gathered).subarray(bytesWritten);
      await writeAll(handle, rest, at === undefined ? undefined : at + bytesWritten);
    }
    done += size;
  }
}

/** `write` may take less than it is given; this does not. Writes behind what was written last, or at `position`. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position?: number): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const at = position === undefined ? null : position + offset;
    const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset, at);
    offset += bytesWritten;
  }
}
