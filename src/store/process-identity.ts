import { readFileSync, readlinkSync } from 'node:fs';
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

let ownIdentity: ProcessIdentity | undefined;

/** The identity of this process. */
export function identifyProcess(): ProcessIdentity {
  ownIdentity ??= readIdentity();
  return ownIdentity;
}

/** The identity of another process of this machine, which lives; nothing of one that does not, or cannot be seen. */
export function identifyOther(processId: number): ProcessIdentity | undefined {
  const startTime = startTimeOf(processId);
  return startTime === undefined ? undefined : { pid: processId, realm: identifyProcess().realm, startTime };
}

/**
 * Whether the process lives. A process of another realm (another container on the same volume, another machine) cannot
 * be asked: it counts as alive for as long as it renews its file, last done `silentMs` ago.
 */
export function isAlive(identity: ProcessIdentity, silentMs: number): boolean {
  const own = identifyProcess();
  if (identity.realm !== own.realm) return silentMs < silenceLimitMs;
  if (identity.pid === own.pid) return identity.startTime === own.startTime;
  if (identity.startTime !== undefined) return startTimeOf(identity.pid) === identity.startTime;
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

function readIdentity(): ProcessIdentity {
  const boot = fromKernel(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')) ?? '';
  const namespace = fromKernel(() => readlinkSync('/proc/self/ns/pid')) ?? '';
  const startTime = startTimeOf(pid);
  const realm = [hostname(), boot.trim(), namespace].join(' ');
  return { pid, realm, ...(startTime === undefined ? {} : { startTime }) };
}

/** Field 22 of `/proc/PID/stat`; `undefined` when there is no such process, or no `/proc`. */
function startTimeOf(processId: number): string | undefined {
  const stat = fromKernel(() => readFileSync(`/proc/${processId}/stat`, 'utf8'));
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses and may hold anything, so counting starts behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent has not looked yet.
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** What the kernel answers, which it does at once; `undefined` where it does not tell. */
function fromKernel(ask: () => string): string | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
