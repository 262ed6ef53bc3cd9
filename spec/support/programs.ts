/**
 * Real programs as partners of tests: whether they are here, and running them within a time limit. A suite whose program
 * is missing is skipped loudly on a developer's machine and fails where `CI=true`, so that nothing is skipped unseen.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

/** Milliseconds for one test, or one preparation, that drives real programs: several times what a slow machine takes. */
export const patience = 300_000;

export interface Requirement {
  /** What is not here: names of programs, or `root`. */
  readonly missing: readonly string[];
  readonly met: boolean;
}

/** Looks for programs in PATH and the system directories; the name `root` asks for the privilege of the super user. */
export function requirePrograms(names: readonly string[]): Requirement {
  const missing = names.filter(name => (name === 'root' ? process.getuid?.() !== 0 : findProgram(name) === undefined));
  return { missing, met: missing.length === 0 };
}

/** The absolute path of a program. The system directories count even where PATH leaves `sbin` out. */
export function findProgram(name: string): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
    '/usr/bin',
  ];
  for (const folder of folders.filter(Boolean)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** A suite that needs real programs: runs, or says why not (see the top of this file). */
export function describeWith(names: readonly string[], title: string, body: () => void): void {
  const { missing, met } = requirePrograms(names);
  if (met) {
    describe(title, { timeout: patience }, body);
    return;
  }
  const absent = missing.join(', ');
  if (process.env['CI'] === 'true') {
    describe(title, () => {
      it(`needs ${absent}`, () => {
        throw new Error(`not installed on this machine: ${absent}`);
      });
    });
    return;
  }
  process.stderr.write(`skipped: ${title}: not installed here: ${absent}\n`);
  describe.skip(`${title} [skipped, not installed: ${absent}]`, body);
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment of the tests; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  /** Seconds; the process is killed after them. Default 180. */
  readonly timeout?: number;
  /** Give the result back whatever the exit code is. */
  readonly mayFail?: boolean;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. An exit code other than 0 is an error that quotes the end of its output. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const child = spawn(command.includes('/') ? command : (findProgram(command) ?? command), args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: (options.timeout ?? 180) * 1000,
    killSignal: 'SIGKILL',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', chunk => stdout.push(chunk));
  child.stderr.on('data', chunk => stderr.push(chunk));
  // A program that does not read its input to the end is no fault of the test; its exit code tells.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const result = { code: code ?? 128, stdout: String(Buffer.concat(stdout)), stderr: String(Buffer.concat(stderr)) };
  if (code === 0 || (options.mayFail && signal === null)) return result;
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  throw new Error(
    `${[command, ...args].join(' ')}: ${how}\n${result.stdout.slice(-2000)}\n${result.stderr.slice(-4000)}`,
  );
}

export interface ServiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A file that takes the output of the service; quoted when it does not start. */
  readonly log: string;
  /** Whether the service answers now. */
  readonly ready: () => Promise<boolean>;
  /** Seconds for the start. Default 60. */
  readonly timeout?: number;
}

export interface Service {
  /** Asks the service to end, and kills it after a while. */
  stop(): Promise<void>;
}

/** Starts a program that stays, and comes back when it answers. */
export async function startService(
  command: string,
  args: readonly string[],
  options: ServiceOptions,
): Promise<Service> {
  const log = openSync(options.log, 'a');
  const child = spawn(command.includes('/') ? command : (findProgram(command) ?? command), args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', log, log],
  });
  const ended = new Promise<void>(resolve => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  // A test run that ends by a crash takes its services with it.
  const onExit = (): void => void child.kill('SIGTERM');
  process.once('exit', onExit);
  const stop = async (): Promise<void> => {
    process.off('exit', onExit);
    await stopChild(child, ended);
  };
  const deadline = Date.now() + (options.timeout ?? 60) * 1000;
  for (;;) {
    if (hasEnded(child) || Date.now() > deadline) {
      await stop();
      throw new Error(`${command} did not start:\n${readFileSync(options.log, 'utf8').slice(-4000)}`);
    }
    if (await options.ready().catch(() => false)) return { stop };
    await pause(100);
  }
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (!hasEnded(child)) child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}
