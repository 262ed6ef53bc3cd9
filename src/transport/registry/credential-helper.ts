import { spawn } from 'node:child_process';
import * as z from 'zod';
import { LadingError } from '../../errors/errors.js';
import { readCapped } from '../../stream/read-capped.js';
import type { Credential } from './credentials.js';
import { printable } from './failure.js';

export interface CredentialHelperOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const answerSchema = z.looseObject({ Username: z.string(), Secret: z.string().min(1) });
const outputLimit = 1024 * 1024;

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
  const program = `docker-credential-${name}`;
  const fail = (problem: string): LadingError =>
    new LadingError('CREDENTIALS', `${program}: ${problem}`, {
      details: { source: program },
      hint: 'Install or repair the helper, or take it out of credsStore or credHelpers in the Docker configuration.',
    });
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) throw fail('not a name of a credential helper');
  options.signal?.throwIfAborted();
  const limit = AbortSignal.timeout(options.timeoutMs ?? 30_000);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  const child = spawn(program, ['get'], { env: { ...options.env }, stdio: ['pipe', 'pipe', 'pipe'], signal });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  child.stdin.on('error', () => {});
  child.stdin.end(`${server}\n`);
  let result: readonly [number | null, Buffer, Buffer];
  try {
    result = await Promise.all([
      ended,
      readCapped(child.stdout, outputLimit, 'answer of the helper'),
      readCapped(child.stderr, outputLimit, 'answer of the helper'),
    ]);
  } catch (error) {
    child.kill();
    ended.catch(() => {});
    if (options.signal?.aborted) throw options.signal.reason;
    if (limit.aborted) throw fail('does not answer');
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw fail('not found');
    throw fail(`cannot be used (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
  const [status, stdout, stderr] = result;
  if (status !== 0) {
    // Helpers say so on their standard output, and with a status of failure.
    if (/credentials not found/i.test(stdout.toString('utf8').slice(0, 1000))) return undefined;
    throw fail(`failed with status ${status ?? 'unknown'} ${printable(stderr.toString('utf8'), 300)}`.trim());
  }
  const answer = parseAnswer(stdout);
  if (answer === undefined) throw fail('gave an answer that is not one');
  if (answer.Username === '<token>') return { kind: 'identity', token: answer.Secret };
  return { kind: 'password', username: answer.Username, password: answer.Secret };
}

function parseAnswer(stdout: Buffer): z.infer<typeof answerSchema> | undefined {
  try {
    return answerSchema.parse(JSON.parse(stdout.toString('utf8')));
  } catch {
    return undefined;
  }
}
