import { LadingError } from './errors.js';

const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: make room, or use --root for a store on another disk. What was there before is untouched.',
  EDQUOT: 'The disk quota is used up.',
  EACCES: 'Check the permissions of the path and of the folders above it.',
  EPERM: 'Check the permissions of the path and of the folders above it.',
  ENOENT: 'Check the spelling of the path.',
  EISDIR: 'It is a folder, where a file is needed.',
  ENOTDIR: 'A part of the path is a file where a folder is needed.',
  EROFS: 'The file system is read-only.',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n).',
};

/** An error of the operating system as a {@link LadingError} with the path it concerns; one of ours passes as it is. */
export function ioError(error: unknown, path?: string): unknown {
  const errno = (error as { code?: unknown } | null)?.code;
  if (!(error instanceof Error) || typeof errno !== 'string' || !/^E[A-Z0-9]+$/.test(errno)) return error;
  if ('hint' in error) return error;
  const place = path ?? (error as { path?: string }).path;
  return new LadingError('IO', `${place ?? 'operating system'}: ${describe(error, errno)}`, {
    details: { path: place, errno },
    hint: hints[errno],
    cause: error,
  });
}

/** `ENOENT: no such file or directory, open 'x'` without the call and the path that follow. */
function describe(error: Error, errno: string): string {
  const text = /^[A-Z0-9]+: ([^,]+)/.exec(error.message)?.[1];
  return text === undefined ? errno : `${text} (${errno})`;
}
