import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type IgnoreMatcher, ignoreMatcher } from '../dockerfile/ignore.js';
import { isLadingError, LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';

/** A Dockerfile as text with the name it has in messages. */
export interface DockerfileText {
  readonly text: string;
  readonly file: string;
  /** Where it lies, for the ignore file beside it; absent when it came as text. */
  readonly path?: string | undefined;
}

/** What a Dockerfile is called when nobody says. */
export const dockerfileNames = ['Dockerfile', 'dockerfile'] as const;

/** Bytes. */
export const dockerfileLimit = 16 * 1024 * 1024;

/**
 * The Dockerfile of a build: the one that is named, else `Dockerfile` in the context, else `dockerfile`.
 * @throws LadingError IO
 */
export async function readDockerfile(
  context: string | undefined,
  written: string | undefined,
  directory = '.',
): Promise<DockerfileText> {
  if (written !== undefined) {
    const path = resolve(directory, written);
    return { text: await readText(path), file: written, path };
  }
  if (context === undefined) {
    throw new LadingError('USAGE', 'there is neither a context nor a Dockerfile', { details: {} });
  }
  for (const name of dockerfileNames) {
    const candidate = join(context, name);
    const text = await readIfThere(candidate);
    if (text !== undefined) return { text, file: name, path: candidate };
  }
  throw new LadingError('IO', `there is no Dockerfile in ${context}`, {
    details: { path: join(context, 'Dockerfile'), errno: 'ENOENT' },
    hint: 'Name the file with -f, or give the folder that holds it as the context.',
  });
}

/** The Dockerfile as text, where the caller has it so, or as {@link readDockerfile} finds it. */
export async function dockerfileOf(options: {
  readonly context?: string | undefined;
  readonly dockerfile?: string | undefined;
  readonly dockerfileText?: string | undefined;
  readonly directory?: string | undefined;
}): Promise<DockerfileText> {
  const { context, dockerfile, dockerfileText, directory } = options;
  if (dockerfileText === undefined) return await readDockerfile(context, dockerfile, directory);
  return { text: dockerfileText, file: 'Dockerfile' };
}

/**
 * The patterns that hide files of a context: `NAME.dockerignore` beside the Dockerfile, else the context's own.
 * @throws LadingError INVALID_DOCUMENT, IO
 */
export async function contextIgnore(context: string, dockerfile?: string): Promise<IgnoreMatcher | undefined> {
  const candidates = [
    ...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]),
    join(context, '.dockerignore'),
  ];
  for (const file of candidates) {
    const text = await readIfThere(file);
    if (text !== undefined) return matcherOf(text, basename(file));
  }
  return undefined;
}

function matcherOf(text: string, file: string): IgnoreMatcher {
  try {
    return ignoreMatcher(text);
  } catch (error) {
    if (!isLadingError(error)) throw error;
    throw new LadingError('INVALID_DOCUMENT', `${file}: ${error.message}`, {
      details: { what: file, problem: error.message },
      hint: error.hint,
      cause: error,
    });
  }
}

/** @throws LadingError IO when it is no folder */
export async function requireDirectory(path: string): Promise<void> {
  const stats = await stat(path).catch(error => {
    throw ioError(error, path);
  });
  if (stats.isDirectory()) return;
  throw new LadingError('IO', `${path} is not a folder`, {
    details: { path, errno: 'ENOTDIR' },
    hint: 'The context of a build is a folder; a Dockerfile elsewhere is named with -f.',
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readText(path);
  } catch (error) {
    const errno = (error as LadingError<'IO'>).details?.errno;
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > dockerfileLimit) {
      const details = { what: path, limit: dockerfileLimit };
      throw new LadingError('SIZE_EXCEEDED', `${path} is larger than ${dockerfileLimit} bytes`, { details });
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    throw ioError(error, path);
  }
}
