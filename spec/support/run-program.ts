import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

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
