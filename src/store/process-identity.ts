import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { kill, pid } from 'node:process';

/** Who holds something: enough to tell later, from this or another machine, whether that process still lives. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks since the machine's start at which the process began; with it a reused pid is told apart. Linux only. */
  readonly startTime?: string | undefined;
  /** What pids mean something in: the boot of the kernel and the pid namespace, or the host's name. */
  readonly realm: string;
}

/** Nobody renews a lease or a lock for this long and lives. */
export const silenceLimitMs = 60_000;

let ownIdentity: Promise<ProcessIdentity> | undefined;

/** The identity of this process. */
export function identifyProcess(): Promise<ProcessIdentity> {
  ownIdentity ??= readIdentity();
  return ownIdentity;
}

/** The identity of another process of this machine, which lives; nothing of one that does not, or cannot be seen. */
export async function identifyOther(processId: number): Promise<ProcessIdentity | undefined> {
  const startTime = await startTimeOf(processId);
  return startTime === undefined ? undefined : { pid: processId, realm: (await identifyProcess()).realm, startTime };
}

/**
 * Whether the process lives. A process of another realm (another container on the same volume, another machine) cannot
 * be asked: it counts as alive for as long as it renews its file, last done `silentMs` ago.
 */
export async function isAlive(identity: ProcessIdentity, silentMs: number): Promise<boolean> {
  const own = await identifyProcess();
  if (identity.realm !== own.realm) return silentMs < silenceLimitMs;
  if (identity.pid === own.pid) return identity.startTime === own.startTime;
  if (identity.startTime !== undefined) return (await startTimeOf(identity.pid)) === identity.startTime;
  // Without a start time a reused pid cannot be told from the old one, so here too silence means death.
  return silentMs < silenceLimitMs && exists(identity.pid);
}

function exists(processId: number): boolean {
  try {
    kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** `token` tells two files of one process apart. */
export function encodeIdentity(identity: ProcessIdentity, token: string): string {
  return `${JSON.stringify({ ...identity, token })}\n`;
}

/** `undefined` for anything that {@link encodeIdentity} has not written to its end. */
export function decodeIdentity(text: string): ProcessIdentity | undefined {
  if (!text.endsWith('\n')) return undefined;
  try {
    const { pid, startTime, realm } = JSON.parse(text) as Record<string, unknown>;
    if (!Number.isSafeInteger(pid) || (pid as number) <= 0 || typeof realm !== 'string') return undefined;
    return { pid: pid as number, realm, ...(typeof startTime === 'string' ? { startTime } : {}) };
  } catch {
    return undefined;
  }
}

async function readIdentity(): Promise<ProcessIdentity> {
  const [boot, namespace, startTime] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
    startTimeOf(pid),
  ]);
  const realm = [hostname(), boot.trim(), namespace].join(' ');
  return { pid, realm, ...(startTime === undefined ? {} : { startTime }) };
}

/** Field 22 of `/proc/PID/stat`; `undefined` when there is no such process, or no `/proc`. */
async function startTimeOf(processId: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses and may hold anything, so counting starts behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent has not looked yet.
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
