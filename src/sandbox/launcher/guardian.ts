import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { LadingError } from '../../errors/errors.js';
import type { RunRequest } from '../sandbox.js';
import { beginProgram, insideProgram } from './begin.js';
import { confineProgram } from './confine.js';
import { emulateProgram } from './emulate.js';
import { makeRootProgram } from './make-root.js';
import { startProgram } from './start.js';
import { superviseProgram } from './supervise.js';
import { systemCalls } from './system-calls.js';
import { terminalProgram } from './terminal.js';

/** What the launcher is, as the one argument of Perl's `-e`. */
export function launcherScript(): string {
  return `${systemCalls()}${startProgram}${terminalProgram}${confineProgram}${makeRootProgram}${emulateProgram}${beginProgram}${superviseProgram}`;
}

/** What runs inside a traced root, as the one argument of Perl's `-e`. */
export function insideScript(): string {
  return `${systemCalls()}${startProgram}${insideProgram}`;
}

/** The launcher's process, which waits to be told what to launch. It ends when `lifeline` does, or with this process. */
export interface Guardian {
  /** Of what it launches, where that does not have the builder's own. */
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly lifeline: Writable;
  readonly report: Readable;
  readonly log: Readable;
  /** Fails with PROGRAM_MISSING. */
  readonly ended: Promise<void>;
}

/** @param perl the Perl interpreter on this machine */
export function startGuardian(perl: string, input: RunRequest['input']): Guardian {
  const inherit = input === 'inherit';
  const streams = inherit ? 'inherit' : 'pipe';
  const child = spawn(perl, ['-e', launcherScript()], {
    // Nothing of the builder's environment, and nothing of the step's: neither is to steer programs of this machine.
    env: { LC_ALL: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    cwd: '/',
    detached: !inherit,
    stdio: [inherit ? 'inherit' : 'ignore', streams, streams, 'pipe', 'pipe', 'pipe'],
  });
  const [, stdout, stderr, lifeline, report, log] = child.stdio as unknown as [
    null,
    Readable | null,
    Readable | null,
    Writable,
    Readable,
    Readable,
  ];
  // Its end is heard of by 'close'; a write that comes too late is no news.
  lifeline.on('error', () => {});
  const ended = closed(child, perl);
  ended.catch(() => {});
  return { stdout, stderr, lifeline, report, log, ended };
}

/** Gives up one that has not been told anything. */
export async function endGuardian({ lifeline, ended }: Guardian): Promise<void> {
  lifeline.destroy();
  await ended.catch(() => {});
}

function closed(child: ChildProcess, perl: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('close', () => resolve());
    child.once('error', error => {
      const details = { program: 'perl' };
      reject(new LadingError('PROGRAM_MISSING', `${perl} cannot be started`, { details, cause: error }));
    });
  });
}
