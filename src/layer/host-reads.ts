import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { digestBytes } from '../oci/digest-bytes.js';
import { copyIdentity, identityWords, sameIdentity, setNumbers, wordsOf } from '../tree/host-identity.js';
import { toHostPath } from '../tree/path.js';
import { hashInto } from './file-digest.js';
import type { HostContent } from './host-file.js';

/** Numbers for each file: see {@link HostReads}. */
const placeColumns = 3;

/**
 * Files of this machine to be read into a buffer, as columns: a thread gets them by the hundred, and objects would cost
 * it more than the reading does.
 */
export interface HostReads {
  /** Spelled as in `path.ts`. */
  readonly paths: readonly string[];
  /** For each file: where in the buffer, how many bytes, and from where in the file. */
  readonly places: Float64Array;
  /** For each file what `stat` must still say when it has been read: rows as in `HostIdentity`. */
  readonly identities: Int32Array;
}

export interface HostRead {
  readonly content: HostContent;
  readonly at: number;
  readonly length: number;
  /** Bytes into the content. */
  readonly start: number;
}

export function hostReads(reads: readonly HostRead[]): HostReads {
  const places = new Float64Array(reads.length * placeColumns);
  const identities = new Int32Array(reads.length * identityWords);
  const paths: string[] = [];
  for (const { content, at, length, start } of reads) {
    const row = paths.push(content.path) - 1;
    const place = row * placeColumns;
    places[place] = at;
    places[place + 1] = length;
    places[place + 2] = start + (content.offset ?? 0);
    copyIdentity(content.identity.words, content.identity.at, identities, row * identityWords);
  }
  return { paths, places, identities };
}

/** Which file could not be read as it was listed, and what the system said; without `errno` it has changed. */
export interface ReadFailure {
  readonly file: number;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

/** Non-blocking: if a FIFO took the file's place, opening it must not hang. (Windows has no such flag.) */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** Reads all files into the buffer, synchronously; says what failed, if anything did. Nothing stays open. */
export function readHostFiles(reads: HostReads, buffer: Uint8Array): ReadFailure | undefined {
  return eachFile(reads, (fd, [at, length, position]) => readExactly(fd, buffer, at!, length!, position!));
}

/** SHA-256 of each file, one behind another, read through the buffer whatever its length. */
export function hashHostFiles(reads: HostReads, buffer: Uint8Array): Uint8Array | ReadFailure {
  const digests = new Uint8Array(reads.paths.length * digestBytes);
  let at = 0;
  const failure = eachFile(reads, (fd, [, length, position]) => {
    if (length! <= buffer.length) {
      if (!readExactly(fd, buffer, 0, length!, position!)) return false;
      hashInto(digests, at, buffer.subarray(0, length!));
      at += digestBytes;
      return true;
    }
    const whole = createHash('sha256');
    for (let done = 0; done < length!; done += buffer.length) {
      const piece = Math.min(buffer.length, length! - done);
      if (!readExactly(fd, buffer, 0, piece, position! + done)) return false;
      whole.update(buffer.subarray(0, piece));
    }
    digests.set(whole.digest(), at);
    at += digestBytes;
    return true;
  });
  return failure ?? digests;
}

/** Opens one file after the other; `work` says whether the file had all that was asked of it. */
function eachFile(
  { paths, places, identities }: HostReads,
  work: (fd: number, place: Float64Array) => boolean,
): ReadFailure | undefined {
  for (let file = 0; file < paths.length; file++) {
    try {
      const fd = openSync(toHostPath(paths[file]!), flags);
      try {
        const row = file * placeColumns;
        if (!work(fd, places.subarray(row, row + placeColumns))) return { file };
        // Had it changed since it was listed, before or while it was read, its identity would no longer be the same.
        if (!isSame(fd, identities, file * identityWords)) return { file };
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return { file, code, message };
    }
  }
  return undefined;
}

function readExactly(fd: number, buffer: Uint8Array, at: number, length: number, position: number): boolean {
  for (let done = 0; done < length; ) {
    const count = readSync(fd, buffer, at + done, length - done, position + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}

function isSame(fd: number, identities: Int32Array, row: number): boolean {
  setNumbers(now.numbers, 0, fstatSync(fd, { bigint: true }));
  return sameIdentity(identities, row, now.words, 0);
}

/** What `stat` says of the file that is being looked at. */
const now = rowOfNumbers();

function rowOfNumbers() {
  const numbers = new BigInt64Array(identityWords / 2);
  return { numbers, words: wordsOf(numbers) };
}
