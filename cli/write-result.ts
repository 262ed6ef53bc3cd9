import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LadingError } from '../src/index.js';
import type { CliContext } from './context.js';

/** Writes what a command has found out to a file that the command line names. */
export async function writeResult(file: string, text: string, { cwd, signal }: CliContext): Promise<void> {
  const path = resolve(cwd, file);
  try {
    await writeFile(path, text, { signal });
  } catch (error) {
    signal.throwIfAborted();
    const errno = (error as NodeJS.ErrnoException).code;
    throw new LadingError('IO', `cannot write ${path}: ${errno}`, { details: { path, errno }, cause: error });
  }
}
