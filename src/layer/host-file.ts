import { constants, fstatSync, openSync, readSync } from 'node:fs';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { hostIdentity, identitySize, sameIdentity } from '../tree/host-identity.js';
import type { FileContent } from '../tree/node.js';
import { toHostPath } from '../tree/path.js';

export type HostContent = Extract<FileContent, { readonly kind: 'host' }>;

/** Non-blocking: if a FIFO took the file's place, opening it must not hang. (Windows has no such flag.) */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** What the file system says when a file has gone, or something else has come in its place. */
const goneCodes = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EISDIR', 'ESPIPE', 'EAGAIN', 'ESTALE']);

/**
 * Opens a file to be read synchronously; close it with `closeSync`.
 * @throws LadingError FILE_CHANGED when it is gone, IO when it may not be read
 */
export function openHostFile(content: HostContent): number {
  try {
    return openSync(toHostPath(content.path), flags);
  } catch (error) {
    throw readFailure(error, content);
  }
}

/**
 * Reads `length` bytes, from `position` of the content on, into the buffer.
 * @throws LadingError FILE_CHANGED when there are fewer
 */
export function readHostFile(
  fd: number,
  content: HostContent,
  position: number,
  buffer: Buffer,
  at: number,
  length: number,
): void {
  const start = (content.offset ?? 0) + position;
  let done = 0;
  while (done < length) {
    let count: number;
    try {
      count = readSync(fd, buffer, at + done, length - done, start + done);
    } catch (error) {
      throw readFailure(error, content);
    }
    if (count === 0) throw fileChanged(content.path);
    done += count;
  }
}

/**
 * Call when all bytes have been read: had the file changed since it was listed, before or while it was read, its
 * identity would no longer be the same.
 * @throws LadingError FILE_CHANGED
 */
export function checkUnchanged(fd: number, content: HostContent, size: number): void {
  const now = hostIdentity(fstatSync(fd, { bigint: true }));
  const then = content.identity;
  const length = identitySize(now);
  const same =
    sameIdentity(now.words, now.at, then.words, then.at) &&
    (content.offset === undefined ? length === size : length >= content.offset + size);
  if (!same) throw fileChanged(content.path);
}

export function fileChanged(path: string, cause?: unknown): LadingError<'FILE_CHANGED'> {
  const shown = path.toWellFormed();
  return new LadingError('FILE_CHANGED', `${shown} changed while it was being read`, {
    details: { path: shown },
    hint: 'Build again when nothing writes to the build context, or exclude the file.',
    cause,
  });
}

/** What a failed attempt to read a file means. */
export function readFailure(error: unknown, content: HostContent): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && goneCodes.has(code)) return fileChanged(content.path, error);
  return ioError(error, content.path.toWellFormed());
}
