/**
 * What one thread does to write files: everything is synchronous and in columns, as in `segment-job.ts`, whose worker this
 * is bundled into.
 */

import { hash } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { getegid, geteuid } from 'node:process';
import { baseOf, parentOf, toHostPath } from '../tree/path.js';
import type { ReadFailure } from './host-reads.js';
import { hostTime } from './host-time.js';
import { replacing } from './replacing.js';
import { RootDirectory } from './root-directory.js';
import type { SharedBytes } from './shared-bytes.js';

/** Files, or pieces of one, to be written below a root. */
export interface WriteJob {
  readonly kind: 'write';
  /** Has the contents. */
  readonly raw: SharedBytes;
  readonly root: string;
  readonly paths: readonly string[];
  /** SHA-256 in hexadecimal of each whole content; empty where it is not to be checked. */
  readonly digests: readonly string[];
  /** For each file the {@link writeColumns}. */
  readonly numbers: Float64Array;
  /** Whether files are given to their owners. */
  readonly owners: boolean;
}

/** Which part of a file a row is: pieces are written without metadata, which then come with the last, empty one. */
export const wholeFile = 0;
export const firstPiece = 1;
export const furtherPiece = 2;
export const lastPiece = 3;

export const writeColumns = ['at', 'length', 'position', 'part', 'mode', 'uid', 'gid', 'mtime'] as const;

const width = writeColumns.length;
const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;

/** Writes all files; says which one failed. Without an error of the system it was the digest, or an error of ours. */
export function runWrites(job: WriteJob): ReadFailure | undefined {
  const folders = new RootDirectory(job.root);
  const withheld = withheldBits();
  try {
    for (let file = 0; file < job.paths.length; file++) {
      try {
        if (!writeFile(job, file, folders, withheld)) return { file };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        return { file, code, message };
      }
    }
    return undefined;
  } finally {
    folders.close();
  }
}

/**
 * `withheld`: bits of modes that files do not get by being made with them.
 * @returns whether the content is what it should be; nothing is written when it is not
 */
export function writeFile(job: WriteJob, file: number, folders: RootDirectory, withheld = 0o7777): boolean {
  const { raw, numbers, paths, digests, owners } = job;
  const row = numbers.subarray(file * width, (file + 1) * width);
  const [at, length, position, part, mode, uid, gid, mtime] = row as unknown as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  const bytes = raw.subarray(at, at + length);
  const digest = digests[file]!;
  if (digest !== '' && hash('sha256', bytes, 'hex') !== digest) return false;
  const path = paths[file]!;
  const target = `${folders.enter(parentOf(path))}/${baseOf(path)}`;
  // Each call that changes an inode costs about as much as making the file does.
  const plain =
    part === wholeFile && (mode & withheld) === 0 && (!owners || (uid === geteuid?.() && gid === getegid?.()));
  const open = (flags: number): number =>
    openSync(toHostPath(target), O_WRONLY | O_NOFOLLOW | flags, plain ? mode : 0o600);
  const isNew = part === wholeFile || part === firstPiece;
  const fd = isNew ? replacing(target, () => open(O_CREAT | O_EXCL)) : open(0);
  try {
    for (let done = 0; done < length; ) done += writeSync(fd, bytes, done, length - done, position + done);
    if (part === wholeFile || part === lastPiece) {
      // Owner before mode: a change of owner clears setuid and setgid.
      // (A folder with setgid gives its group to what is made in it.)
      const right = plain && (!owners || fstatSync(fd).gid === gid);
      if (owners && !right) fchownSync(fd, uid, gid);
      if (!right) fchmodSync(fd, mode);
      futimesSync(fd, hostTime(mtime), hostTime(mtime));
    }
  } finally {
    closeSync(fd);
  }
  return true;
}

/** Bits of a mode that a new file does not get by being made with it: setuid and its like, and those of the umask. */
function withheldBits(): number {
  try {
    // Node's own way of asking sets it for a moment, for all threads.
    const umask = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return umask === undefined ? 0o7777 : 0o7000 | Number.parseInt(umask, 8);
  } catch {
    // Not Linux: every file is given its mode.
    return 0o7777;
  }
}
