import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Secrets } from '../build/inputs.js';
import { isLadingError, LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import type { CallOptions } from '../stream/bytes.js';
import { readCapped } from '../stream/read-capped.js';

/** What a build may know and must not keep: the content of a file, or the content itself. */
export type BuildSecret = { readonly file: string } | { readonly value: string | Uint8Array };

export interface BuildSecretsOptions extends CallOptions {
  /** What relative paths start from. */
  readonly directory: string;
}

/** BuildKit's limit, in bytes. */
const secretLimit = 500 * 1024;

/**
 * The secrets of a build, by their ids. They are read once, at the beginning: what is missing is told before anything is
 * built, and a pipe can be read no more than once.
 * @throws LadingError IO, SIZE_EXCEEDED
 */
export async function buildSecrets(
  given: Readonly<Record<string, BuildSecret>>,
  options: BuildSecretsOptions,
): Promise<Secrets> {
  const contents = new Map<string, Buffer>();
  for (const [id, secret] of Object.entries(given)) {
    const what = `secret ${id}`;
    const content = 'file' in secret ? await fileContent(secret.file, what, options) : Buffer.from(secret.value);
    if (content.length > secretLimit) throw tooLarge(what);
    contents.set(id, content);
  }
  return { read: async id => contents.get(id) };
}

async function fileContent(file: string, what: string, { directory, signal }: BuildSecretsOptions): Promise<Buffer> {
  const path = resolve(directory, file);
  try {
    return await readCapped(createReadStream(path, { signal }), secretLimit, what);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (isLadingError(error, 'SIZE_EXCEEDED')) throw tooLarge(what);
    const failure = ioError(error, path);
    if (!isLadingError(failure, 'IO')) throw failure;
    throw new LadingError('IO', `${what}: ${failure.message}`, {
      details: failure.details,
      hint: 'A secret is a file with src=FILE, or a variable of the environment with env=NAME.',
      cause: error,
    });
  }
}

function tooLarge(what: string): LadingError<'SIZE_EXCEEDED'> {
  return new LadingError('SIZE_EXCEEDED', `${what} is larger than ${secretLimit} bytes`, {
    details: { what, limit: secretLimit },
    hint: 'Secrets are for keys and tokens. COPY what is larger, from a stage that is not part of the result.',
  });
}
