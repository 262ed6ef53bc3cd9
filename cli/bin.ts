#!/usr/bin/env node
/** The program: the one file that knows the process it runs in. */
import { homedir } from 'node:os';
import type { CliContext } from './context.js';
import { version } from './version.js';

const argv = process.argv.slice(2);
/** 128 and the number of the signal, as shells have it. */
const exitCodes = { SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

// Asked by scripts before anything else, and answered before anything else is loaded.
if (argv.length === 1 && argv[0] === '--version') process.stdout.write(`${version}\n`);
else await run(currentFolder());

async function run(cwd: string | undefined): Promise<void> {
  if (cwd === undefined) {
    process.stderr.write('error: the current folder is not there any more\nhint: Change to one that is.\n');
    process.exitCode = 1;
    return;
  }
  const interruption = new AbortController();
  let interruptedBy: 'SIGINT' | 'SIGTERM' | undefined;
  const interrupt = (signal: 'SIGINT' | 'SIGTERM'): void => {
    // Whoever asks twice does not want to wait for the tidying up.
    if (interruptedBy !== undefined) process.exit(exitCodes[signal]);
    interruptedBy = signal;
    interruption.abort(new DOMException(`interrupted by ${signal}`, 'AbortError'));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // The reader went away, as `head` does: nobody is left to be told.
      if (error.code === 'EPIPE') process.exit(exitCodes.SIGPIPE);
      throw error;
    });
  }
  let stdin: NodeJS.ReadStream | undefined;
  const context: CliContext = {
    stdout: process.stdout,
    stderr: process.stderr,
    // Opened when it is asked for: most commands read nothing.
    get stdin() {
      stdin ??= process.stdin;
      return stdin;
    },
    env: process.env,
    cwd,
    home: homedir(),
    etc: '/etc',
    arch: process.arch,
    runtime: { node: process.version, system: process.platform },
    again: { program: process.execPath, args: [...process.execArgv, process.argv[1]!, ...argv] },
    startApart: argv => {
      const program = process.argv[1]!;
      const { spawn } = process.getBuiltinModule('node:child_process');
      spawn(process.execPath, [...process.execArgv, program, ...argv], { detached: true, stdio: 'ignore' }).unref();
    },
    signal: interruption.signal,
    interrupt: () => interrupt('SIGINT'),
    now: () => Date.now(),
  };
  const code = (await entered(context)) ?? (await (await import('./main.js')).main(argv, context));
  process.exitCode = interruptedBy !== undefined && code === exitCodes.SIGINT ? exitCodes[interruptedBy] : code;
  // One that was not read to its end would keep the process alive.
  stdin?.unref?.();
}

function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** Root is where it needs to be, and so are those whose system knows no users. */
async function entered(context: CliContext): Promise<number | undefined> {
  if (process.platform !== 'linux' || process.geteuid?.() === 0) return undefined;
  const { enterEarly } = await import('./enter-early.js');
  return await enterEarly(argv, context);
}
