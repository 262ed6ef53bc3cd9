import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { LadingError } from '../../errors/errors.js';
import { onlyThese } from '../inherited-descriptors.js';
import type { MadeForMount } from '../made-for-mounts.js';
import { runUnavailable } from '../sandbox.js';
import { mapSameUsers } from './same-users.js';

export interface EnclosureOptions {
  readonly unshare: string;
  readonly shell: string;
  /** PATH of this machine, for the programs of the scripts. */
  readonly path: string;
  /** Options of `unshare`: the namespaces. */
  readonly namespaces: readonly string[];
  /** In a user namespace, too, in which everybody is whom he is here. */
  readonly users?: boolean | undefined;
  /**
   * What the first process in them does, as a program of the shell, and its arguments. It says what there is to say and
   * `ready`, each with a NUL behind it, and becomes `cat`. Descriptor 3 is the root of this machine.
   */
  readonly script: string;
  readonly args: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** New namespaces with a root, and nothing in them yet but the process that keeps them. */
export interface Enclosure {
  /** Of the process that keeps it, as this machine counts. Its current folder is the root. */
  readonly pid: number;
  readonly made: readonly MadeForMount[];
  /** What the operation `program` has found. */
  readonly programs: readonly string[];
  /** Ends every process in it, and is done when there is none any more. */
  close(): Promise<void>;
}

const reportLimit = 1024 * 1024;

/** Says who it is, waits until it is told to go on, and becomes a program that has the rights of whom it then is. */
const begin = `read -r pid rest </proc/self/stat; printf 'pid %s\\0' "$pid"; read -r go || exit 1; exec "$@"`;

/**
 * Makes namespaces. They end with the pipe that the builder holds, however the builder ends: the first process in them
 * does nothing but read it, and when that is gone the kernel kills all others.
 * @throws LadingError RUN_UNAVAILABLE
 */
export async function enclose(options: EnclosureOptions): Promise<Enclosure> {
  const { unshare, shell, path, namespaces, users = false, script, args, signal } = options;
  signal?.throwIfAborted();
  const host = openSync('/', 'r');
  const empty = openSync('/dev/null', 'r');
  let keeper: ChildProcess;
  try {
    const kinds = [...(users ? ['--user'] : []), ...namespaces];
    const program = [shell, '-c', begin, 'lading', shell, '-c', script, 'lading', ...args];
    keeper = spawn(unshare, [...kinds, '--fork', '--kill-child', '--', ...program], {
      cwd: '/',
      env: { PATH: path, LC_ALL: 'C' },
      stdio: onlyThese(['pipe', 'pipe', 'pipe', host], empty),
      detached: true,
    });
  } finally {
    closeSync(host);
    closeSync(empty);
  }
  const closed = once(keeper, 'close');
  closed.catch(() => {});
  // An end before everything is read shows in what has been read.
  keeper.stdin!.on('error', () => {});
  let messages = '';
  keeper.stderr!.on('data', chunk => {
    messages = `${messages}${chunk}`.slice(-4096);
  });
  const close = async (): Promise<void> => {
    keeper.stdin!.end();
    await closed.catch(() => {});
  };
  const abort = (): void => void keeper.stdin!.end();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const report = await readReport(keeper, async pid => {
      if (users) await mapSameUsers(pid);
      keeper.stdin!.write('go\n');
    });
    if (report === undefined) {
      await closed;
      signal?.throwIfAborted();
      throw unavailable(reasonIn(messages));
    }
    return { ...report, close };
  } catch (error) {
    keeper.kill('SIGKILL');
    await close();
    throw (error as { code?: unknown }).code === 'ENOENT' ? unavailable(`${unshare} cannot be started`) : error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Reads what the scripts say, up to their last word; nothing when they end before. */
async function readReport(
  keeper: ChildProcess,
  onBegun: (pid: number) => Promise<void>,
): Promise<Omit<Enclosure, 'close'> | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  await Promise.race([
    once(keeper, 'spawn'),
    once(keeper, 'error').then(([error]) => {
      throw error;
    }),
  ]);
  for await (const chunk of keeper.stdout! as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > reportLimit) throw unavailable('the report of the namespaces is too long');
    // A path begins with a slash, so that none can be taken for the word.
    if (chunk.at(-1) !== 0) continue;
    const words = String(Buffer.concat(chunks)).split('\0');
    if (words.length === 2 && words[0]!.startsWith('pid ')) await onBegun(Number(words[0]!.slice(4)));
    if (words.at(-2) === 'ready') return parseReport(words);
  }
  return undefined;
}

function parseReport(words: readonly string[]): Omit<Enclosure, 'close'> {
  const made: MadeForMount[] = [];
  const programs: string[] = [];
  const mounts: string[] = [];
  let pid = 0;
  for (let i = 0; i < words.length; i++) {
    const [what, number = ''] = words[i]!.split(' ');
    if (what === 'pid') pid = Number(number);
    else if (what === 'mounted') mounts.push(words[++i]!);
    else if (what === 'program') programs.push(words[++i]!);
    else if (what === 'folder' || what === 'file') {
      const path = words[++i]!;
      // What was made behind a mount is not in the root.
      if (!mounts.some(mount => path.startsWith(`${mount}/`))) made.push({ path, kind: what, parentTime: number });
    }
  }
  return { pid, made, programs };
}

/** Shells complain of folders whose name they cannot find out, which is so for all of the new root. */
function reasonIn(messages: string): string {
  const lines = messages.split('\n').filter(line => line !== '' && !line.includes('getcwd() failed'));
  return lines.join('; ') || 'the namespaces ended before they were ready';
}

function unavailable(missing: string): LadingError {
  return runUnavailable(`the root for a process cannot be made: ${missing}`, {
    hint: 'lading doctor says what this machine allows.',
  });
}
