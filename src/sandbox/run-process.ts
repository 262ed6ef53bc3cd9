import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { onlyThese } from './inherited-descriptors.js';
import { type OutputPipes, outputPipes } from './output-pipes.js';
import type { RunRequest, RunResult } from './sandbox.js';

export interface ProcessStart {
  /** Absolute path of a program of this machine. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: RunRequest['input'];
  readonly onOutput: RunRequest['onOutput'];
  /** A POSIX shell of this machine, and the PATH of it. */
  readonly shell: string;
  readonly path: string;
}

export interface RunningProcess {
  /** How the process itself ended; what it has started may still be there. */
  readonly ended: Promise<Pick<RunResult, 'exitCode' | 'killedBy'>>;
  /** All output has been handed over; waits for everything that could still write some. */
  readonly written: Promise<void>;
  kill(): void;
}

/** Starts a process with streams as {@link RunRequest} wants them. */
export async function startProcess(start: ProcessStart): Promise<RunningProcess> {
  const { program, args, env, input } = start;
  const pipes = input === 'none' ? await outputPipes(start.shell, start.path) : undefined;
  const streams: ReadonlyArray<'inherit' | 'ignore' | number> =
    pipes === undefined ? ['inherit', 'inherit', 'inherit'] : ['ignore', pipes.stdout.write, pipes.stderr.write];
  const empty = openSync('/dev/null', 'r+');
  try {
    const child = spawn(program, args, {
      cwd: '/',
      env,
      stdio: onlyThese(streams, empty),
      // A terminal of the builder is not that of the process, unless it is to be: it could type into it.
      detached: input === 'none',
    });
    const ended = endOf(child);
    ended.catch(() => {});
    const written = pipes === undefined ? Promise.resolve() : handOver(pipes, start.onOutput);
    written.catch(() => {});
    return { ended, written, kill: () => child.kill('SIGKILL') };
  } catch (error) {
    pipes?.close();
    throw error;
  } finally {
    closeSync(empty);
    if (pipes !== undefined) for (const { write } of [pipes.stdout, pipes.stderr]) closeSync(write);
  }
}

async function endOf(child: ChildProcess): Promise<Pick<RunResult, 'exitCode' | 'killedBy'>> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal === null ? { exitCode: code ?? 0 } : { exitCode: 128 + constants.signals[signal], killedBy: signal };
}

async function handOver(pipes: OutputPipes, onOutput: RunRequest['onOutput']): Promise<void> {
  const pump = async (stream: 'stdout' | 'stderr', from: Socket): Promise<void> => {
    for await (const chunk of from) await onOutput(stream, chunk as Uint8Array);
  };
  try {
    await Promise.all([pump('stdout', pipes.stdout.read), pump('stderr', pipes.stderr.read)]);
  } finally {
    pipes.close();
  }
}
