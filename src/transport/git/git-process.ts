import { type ChildProcess, spawn } from 'node:child_process';
import { kill } from 'node:process';
import type { Readable } from 'node:stream';
import { LadingError } from '../../errors/errors.js';
import type { CallOptions } from '../../stream/bytes.js';

export interface GitProcessOptions extends CallOptions {
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it is started. */
  readonly directory: string;
  /** Takes standard output, which is else in the result. What it throws ends the process. */
  readonly onOutput?: ((chunk: Buffer) => void) | undefined;
  /** Told of standard error as it comes. What it throws ends the process. */
  readonly onMessage?: ((text: string) => void) | undefined;
  /** The longest time without a sign of life, and how it fails then. */
  readonly silence?: { readonly limitMs: number; readonly failure: () => unknown } | undefined;
}

export interface GitResult {
  /** Exit status, or 128 when a signal ended it. */
  readonly status: number;
  readonly stdout: Buffer;
  /** The end of standard error. */
  readonly messages: string;
}

const outputLimit = 16 * 1024 * 1024;
const messagesLimit = 64 * 1024;
/** How long processes may take to end once they are told to. */
const patienceMs = 2000;

/**
 * Runs `git` to its end, in a process group of its own with a umask of 022, and without standard input. When it is given
 * up, the group is ended, and is gone before the call fails.
 * @throws LadingError PROGRAM_MISSING, SIZE_EXCEEDED; the signal's reason
 */
export async function runGit(args: readonly string[], options: GitProcessOptions): Promise<GitResult> {
  const { signal, silence, onOutput, onMessage } = options;
  signal?.throwIfAborted();
  // The modes of the files that git makes depend on the umask, which only a shell can set for one process alone.
  const child = spawn('/bin/sh', ['-c', 'umask 022; exec git "$@"', 'git', ...args], {
    cwd: options.directory,
    env: { ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const giveUp = new AbortController();
  const stop = signal === undefined ? giveUp.signal : AbortSignal.any([signal, giveUp.signal]);
  const watch = silence && setTimeout(() => giveUp.abort(silence.failure()), silence.limitMs);
  const output: Buffer[] = [];
  let size = 0;
  let messages = '';
  const listen = (stream: Readable, take: (chunk: Buffer) => void): void => {
    stream.on('data', (chunk: Buffer) => {
      watch?.refresh();
      try {
        take(chunk);
      } catch (error) {
        giveUp.abort(error);
      }
    });
  };
  listen(child.stdout, chunk => {
    if (onOutput !== undefined) return onOutput(chunk);
    size += chunk.length;
    if (size > outputLimit) throw tooMuch();
    output.push(chunk);
  });
  listen(child.stderr, chunk => {
    const text = chunk.toString('latin1');
    messages = (messages + text).slice(-messagesLimit);
    onMessage?.(text);
  });
  try {
    const status = await endOf(child, stop);
    stop.throwIfAborted();
    if (status === 127) throw missing();
    return { status, stdout: Buffer.concat(output), messages: Buffer.from(messages, 'latin1').toString('utf8') };
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? missing() : error;
  } finally {
    clearTimeout(watch);
  }
}

/** Settles when the process has ended and nobody of its group is left. */
async function endOf(child: ChildProcess, stop: AbortSignal): Promise<number> {
  const timers: NodeJS.Timeout[] = [];
  const end = (): void => {
    signalGroup(child, 'SIGTERM');
    timers.push(setTimeout(() => signalGroup(child, 'SIGKILL'), patienceMs));
  };
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      // What is left of the group when its leader has ended works for nobody.
      child.once('exit', () => signalGroup(child, 'SIGKILL'));
      child.once('close', code => resolve(code ?? 128));
      stop.addEventListener('abort', end, { once: true });
    });
  } finally {
    stop.removeEventListener('abort', end);
    for (const timer of timers) clearTimeout(timer);
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    kill(-child.pid, signal);
  } catch {
    // The group is gone.
  }
}

function missing(): LadingError {
  return new LadingError('PROGRAM_MISSING', 'the program git is not installed', {
    details: { program: 'git' },
    hint: 'Install git, or fetch the repository before the build and use its folder.',
  });
}

function tooMuch(): LadingError {
  const what = 'an answer of git';
  return new LadingError('SIZE_EXCEEDED', `${what} is larger than ${outputLimit} bytes`, {
    details: { what, limit: outputLimit },
  });
}
