import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Material } from '../build/material.js';
import { hidingMatcher, type IgnoreMatcher, ignoreMatcher } from '../dockerfile/ignore.js';
import { isLadingError, LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { readCapped } from '../stream/read-capped.js';
import { pathInside } from './path-inside.js';

/** A Dockerfile as text with the name it has in messages. */
export interface DockerfileText {
  readonly text: string;
  readonly file: string;
  /** Where it lies, for the ignore file beside it; absent when it came as text. */
  readonly path?: string | undefined;
  /** Where it has been fetched from, when it was. */
  readonly origin?: Material | undefined;
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
  throw new LadingError('IO', `failed to read dockerfile: open Dockerfile: no such file or directory (in ${context})`, {
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

export interface ContextIgnoreOptions {
  /** The ignore file beside it, `NAME.dockerignore`, goes before the context's own. */
  readonly dockerfile?: string | undefined;
  /** Folder of the store that is built into, when anything is. */
  readonly storeRoot?: string | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * What hides files of a context: the patterns of its ignore file. A store in the context is hidden too, with a warning:
 * copied, it would put all earlier images and the state of this very process into the image.
 * @throws LadingError INVALID_DOCUMENT, IO
 */
export async function contextIgnore(
  context: string,
  options: ContextIgnoreOptions = {},
): Promise<IgnoreMatcher | undefined> {
  const { dockerfile, storeRoot, onWarning } = options;
  const written = await writtenIgnore(context, dockerfile);
  const path = storeRoot === undefined ? undefined : await pathInside(context, storeRoot);
  if (path === undefined || written?.canPrune(path)) return written;
  onWarning?.(
    `the store is in the build context, as ${path}, and left out of it: add it to .dockerignore or use --root`,
  );
  return hidingMatcher(path, written);
}

async function writtenIgnore(context: string, dockerfile: string | undefined): Promise<IgnoreMatcher | undefined> {
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
export async function requireDirectory(path: string, hint = contextHint): Promise<void> {
  const stats = await stat(path).catch(error => {
    throw ioError(error, path);
  });
  if (stats.isDirectory()) return;
  throw new LadingError('IO', `${path} is not a folder`, { details: { path, errno: 'ENOTDIR' }, hint });
}

const contextHint = 'The context of a build is a folder; a Dockerfile elsewhere is named with -f.';

/** A file that is looked for by its name and may be missing. What lies there must have an end, so it is no pipe. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    await requireFile(path);
    return await readText(path);
  } catch (error) {
    const failure = ioError(error, path);
    const errno = (failure as LadingError<'IO'>).details?.errno;
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw failure;
  }
}

async function requireFile(path: string): Promise<void> {
  const stats = await stat(path);
  if (stats.isFile()) return;
  const errno = stats.isDirectory() ? 'EISDIR' : 'EINVAL';
  throw new LadingError('IO', `${path} is not a regular file`, { details: { path, errno } });
}

async function readText(path: string): Promise<string> {
  try {
    return (await readCapped(createReadStream(path), dockerfileLimit, path)).toString('utf8');
  } catch (error) {
    throw ioError(error, path);
  }
}
