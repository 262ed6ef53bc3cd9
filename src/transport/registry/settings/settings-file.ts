import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type * as z from 'zod/mini';
import { ioError } from '../../../errors/io-error.js';
import { matchSchema } from '../../../oci/match-schema.js';
import { invalidSettings } from './rule.js';

const sizeLimit = 1024 * 1024;

/** The text of a file; `undefined` when it is not there. @throws LadingError IO, INVALID_DOCUMENT */
export async function readSettings(file: string): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw ioError(error, file);
  }
  if (bytes.length > sizeLimit) throw invalidSettings(file, 'is too large');
  return bytes.toString('utf8');
}

/** The files of a folder with an ending, in order of their names. @throws LadingError IO */
export async function filesIn(folder: string, ending: string): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).filter(name => name.endsWith(ending));
    return names.sort().map(name => path.join(folder, name));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw ioError(error, folder);
  }
}

/** Parses a text, and checks it. @throws LadingError INVALID_DOCUMENT */
export function parseSettings<T>(
  text: string,
  schema: z.ZodMiniType<T>,
  file: string,
  parse: (text: string) => unknown,
): T {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    // The first line says what is wrong, the others quote the file.
    throw invalidSettings(file, (error as Error).message.split('\n')[0] ?? 'cannot be read');
  }
  const match = matchSchema(value, schema);
  if (match.problem !== undefined) throw invalidSettings(file, match.problem);
  return match.value;
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
