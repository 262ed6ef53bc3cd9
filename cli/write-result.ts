import { rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LadingError } from '../src/index.js';
import type { CliContext } from './context.js';

/**
 * Makes sure, before the work, that its result can go to a file that the command line names. What is there goes: what work
 * that fails has not written must not look like its result.
 */
export async function prepareResult(file: string, { cwd }: CliContext): Promise<void> {
  const path = resolve(cwd, file);
  try {
    if (!(await stat(dirname(path))).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
    await rm(path, { force: true });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** Writes what a command has found out to a file that the command line names. */
export async function writeResult(file: string, text: string, { cwd, signal }: CliContext): Promise<void> {
  const path = resolve(cwd, file);
  try {
    await writeFile(path, text, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw cannotWrite(path, error);
  }
}

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'Make its folder first, or check the spelling of the path.',
  EISDIR: 'It is a folder: name a file in it.',
  ENOTDIR: 'A part of the path is a file where a folder is needed.',
  ENOSPC: 'The disk is full.',
};

function cannotWrite(path: string, cause: unknown): LadingError<'IO'> {
  const errno = (cause as NodeJS.ErrnoException).code?.replace(/^ERR_FS_/, '');
  return new LadingError('IO', `cannot write ${path}: ${errno}`, {
    details: { path, errno },
    hint: hints[errno ?? ''] ?? 'Check the permissions of the path and of the folders above it.',
    cause,
  });
}
