import * as z from 'zod/mini';
import type { LadingError } from '../../errors/errors.js';
import { type Credential, credentialsError } from './credentials.js';
import { printable } from './failure.js';
import { type CredentialProgramOptions, runCredentialProgram } from './run-credential-program.js';

export type CredentialHelperOptions = CredentialProgramOptions;

const answerSchema = z.looseObject({ Username: z.string(), Secret: z.string().check(z.minLength(1)) });

/**
 * Asks the program `docker-credential-NAME` for the credentials of a server, by the protocol of Docker's helpers.
 * `undefined` when it has none.
 * @throws LadingError CREDENTIALS when there is no such program, or it fails
 */
export async function runCredentialHelper(
  name: string,
  server: string,
  options: CredentialHelperOptions,
): Promise<Credential | undefined> {
  const stdout = await run(name, 'get', `${server}\n`, options);
  if (stdout === undefined) return undefined;
  const answer = parseAnswer(stdout);
  if (answer === undefined) throw failure(name, 'gave an answer that is not one');
  if (answer.Username === '<token>') return { kind: 'identity', token: answer.Secret };
  return { kind: 'password', username: answer.Username, password: answer.Secret };
}

/** Gives a helper a password to keep. @throws LadingError CREDENTIALS */
export async function storeInHelper(
  name: string,
  server: string,
  { username, password }: { readonly username: string; readonly password: string },
  options: CredentialHelperOptions,
): Promise<void> {
  await run(name, 'store', JSON.stringify({ ServerURL: server, Username: username, Secret: password }), options);
}

/** Has a helper forget a server, if it knows it. @throws LadingError CREDENTIALS */
export async function eraseFromHelper(name: string, server: string, options: CredentialHelperOptions): Promise<void> {
  await run(name, 'erase', `${server}\n`, options);
}

/** Standard output; `undefined` when the helper says that it knows nothing of the server. */
async function run(
  name: string,
  action: 'get' | 'store' | 'erase',
  input: string,
  options: CredentialHelperOptions,
): Promise<Buffer | undefined> {
  const fail = (problem: string): LadingError => failure(name, problem);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) throw fail('not a name of a credential helper');
  const { status, stdout, stderr } = await runCredentialProgram([programOf(name), action], input, options, fail);
  if (status === 0) return stdout;
  // Helpers say so on their standard output, and with a status of failure.
  if (/credentials not found/i.test(stdout.toString('utf8').slice(0, 1000))) return undefined;
  throw fail(`failed with status ${status ?? 'unknown'} ${printable(stderr.toString('utf8'), 300)}`.trim());
}

function programOf(name: string): string {
  return `docker-credential-${name}`;
}

function failure(name: string, problem: string): LadingError {
  const hint = 'Install or repair the helper, or take it out of credsStore or credHelpers in the file of credentials.';
  return credentialsError(programOf(name), problem, hint);
}

function parseAnswer(stdout: Buffer): z.infer<typeof answerSchema> | undefined {
  try {
    return answerSchema.parse(JSON.parse(stdout.toString('utf8')));
  } catch {
    return undefined;
  }
}
