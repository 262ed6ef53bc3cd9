import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One run of a whole process, measured from outside. */
export interface Sample {
  readonly seconds: number;
  /** User and system time of the process and those it waited for. Absent without GNU time. */
  readonly cpuSeconds?: number | undefined;
  /** Peak resident memory of the largest of these processes. Absent without GNU time. */
  readonly peakMiB?: number | undefined;
}

export interface TimedCommand {
  readonly argv: readonly string[];
  /** Added to the {@link plainEnvironment}. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface Timing {
  /** The path of GNU time; without it there is wall time alone. */
  readonly gnuTime?: string | undefined;
  /** A file that GNU time may write to. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/**
 * Runs a command to its end; one that fails is an error that quotes the end of its messages. An abort ends it with all
 * that it started.
 *
 * Node can tell what it used itself, but not what a child did. GNU time can, and as a small process of its own it also keeps
 * the memory of this process, which a child has for a moment before it becomes another program, out of the child's peak.
 */
export async function runTimed({ argv, env }: TimedCommand, { gnuTime, scratch, signal }: Timing): Promise<Sample> {
  signal.throwIfAborted();
  const line = gnuTime === undefined ? argv : [gnuTime, '-o', scratch, '-f', '%U %S %M', ...argv];
  const start = process.hrtime.bigint();
  // A process group of its own, so that an abort reaches every process of a pipe.
  const child = spawn(line[0]!, line.slice(1), {
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let messages = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    messages = (messages + text).slice(-4000);
  });
  const kill = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  signal.addEventListener('abort', kill, { once: true });
  let end = start;
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => {
        end = process.hrtime.bigint();
      });
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`${argv.join(' ')}: exit code ${code}\n${messages}`);
  } finally {
    signal.removeEventListener('abort', kill);
  }
  const seconds = Number(end - start) / 1e9;
  return gnuTime === undefined ? { seconds } : { seconds, ...parseUsage(readFileSync(scratch, 'utf8')) };
}

/**
 * What a command needs to find programs and its own folders. What else a machine sets (certificates, which Node reads before
 * it starts, proxies, options of Node and of the programs) is not what is compared.
 */
function plainEnvironment(): Record<string, string> {
  const known = ['PATH', 'HOME', 'TMPDIR', 'XDG_RUNTIME_DIR'].map(name => [name, process.env[name]] as const);
  return Object.fromEntries(known.filter((one): one is [string, string] => one[1] !== undefined));
}

/** Reads `%U %S %M` of GNU time. */
export function parseUsage(text: string): { readonly cpuSeconds: number; readonly peakMiB: number } {
  const [user, system, kibibytes] = text.trim().split(' ').map(Number);
  return { cpuSeconds: user! + system!, peakMiB: Math.round(kibibytes! / 1024) };
}
