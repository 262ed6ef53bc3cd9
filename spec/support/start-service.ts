import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { findProgram } from './run-program.js';

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
