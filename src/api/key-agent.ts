import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LadingError } from '../errors/errors.js';
import { redactText } from '../errors/redact.js';
import type { BuildAgentsOptions } from './build-agents.js';

/** An agent of our own. It ends with the build. */
export interface KeyAgent {
  readonly socket: string;
  close(): Promise<void>;
}

const startLimitMs = 10_000;
let count = 0;

/**
 * Starts OpenSSH's agent and gives it the keys.
 * @throws LadingError PROGRAM_MISSING, CREDENTIALS for keys that it does not take, such as those behind a passphrase
 */
export async function keyAgent(
  keys: readonly string[],
  { env, temporary, signal }: BuildAgentsOptions,
): Promise<KeyAgent> {
  count += 1;
  const socket = join(await temporary(), `agent-${count}`);
  const path = { PATH: env['PATH'] ?? '/usr/bin:/bin' };
  // Around a program that reads what we never write: the agent ends with it, and so with us even when we are killed.
  const agent = spawn('ssh-agent', ['-a', socket, 'cat'], { env: path, stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = new Promise<void>(resolve => agent.once('close', () => resolve()));
  const failed = new Promise<never>((_, reject) => agent.once('error', error => reject(missing('ssh-agent', error))));
  failed.catch(() => {});
  const close = async (): Promise<void> => {
    if (agent.pid === undefined) return;
    agent.stdin.end();
    await ended;
    await wake(socket);
  };
  try {
    await Promise.race([listening(agent, socket, signal), failed]);
    for (const key of keys) await add(key, { ...path, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: 'never' }, signal);
  } catch (error) {
    await close();
    throw error;
  }
  return { socket, close };
}

/** The agent looks whether its program is still there when something happens, or every ten seconds. */
async function wake(socket: string): Promise<void> {
  const knock = connect(socket);
  await new Promise<void>(resolve => {
    knock.once('error', () => resolve());
    knock.once('close', () => resolve());
  });
  knock.destroy();
}

async function listening(agent: ChildProcess, socket: string, signal: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + startLimitMs;
  while (!existsSync(socket)) {
    signal?.throwIfAborted();
    if (agent.exitCode !== null || performance.now() > deadline) {
      throw new LadingError('CREDENTIALS', 'ssh-agent does not start', { details: { source: 'ssh-agent' } });
    }
    await delay(5);
  }
}

async function add(key: string, env: Record<string, string>, signal: AbortSignal | undefined): Promise<void> {
  // Never a question: there is no terminal, and nobody who would answer.
  const child = spawn('ssh-add', ['-q', '--', key], { env, stdio: ['ignore', 'ignore', 'pipe'], signal });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', error => reject(signal?.aborted ? signal.reason : missing('ssh-add', error)));
    child.once('close', resolve);
  });
  if (code === 0) return;
  throw new LadingError('CREDENTIALS', `ssh-add does not take the key ${key}: ${redactText(said.trim())}`, {
    details: { source: key },
    hint: 'A key behind a passphrase needs an agent: ssh-add it, and give --ssh default.',
  });
}

function missing(program: string, cause: unknown): LadingError<'PROGRAM_MISSING'> {
  return new LadingError('PROGRAM_MISSING', `${program} is not on this machine: private keys need it`, {
    details: { program },
    hint: "Install OpenSSH's client, or give the socket of an agent.",
    cause,
  });
}
