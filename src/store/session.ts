import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { uptime } from 'node:process';
import { isLadingError } from '../errors/errors.js';
import { removeFiles } from '../layer/remove-files.js';
import { renew } from './file-lock.js';
import { hasErrno, ifExists, onFile } from './io-error.js';
import { decodeIdentity, encodeIdentity, identifyProcess, isAlive, silenceLimitMs } from './process-identity.js';

/** While it lives, nothing that was written to the store or counted on since it began is pruned. */
export interface Lease {
  release(): Promise<void>;
}

/** In seconds: somebody who writes and then does nothing for so long has forgotten to close the store. */
const idleLimit = 15 * 60;

/**
 * One opened store, as other processes see it: a file in `locks/sessions` that says which process it is and is renewed,
 * a folder in `tmp` for what it is writing, and its leases in `locks/leases`. All of it is made on the first write.
 */
export class Session {
  readonly id = randomUUID();
  readonly #root: string;
  #started: Promise<void> | undefined;
  #implicit: Promise<Lease> | undefined;
  #lastUse = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #running = 0;
  #counter = 0;

  constructor(root: string) {
    this.#root = root;
  }

  /** A path for a file in the making. What is left there by a killed process is swept with its session. */
  async temporary(): Promise<string> {
    await this.#begin();
    this.#counter += 1;
    return join(this.#root, 'tmp', this.id, String(this.#counter));
  }

  /** Makes sure that what is touched from now on stays, for as long as the lease lives: until this store is closed or forgotten. */
  async use(): Promise<Lease> {
    this.#lastUse = uptime();
    this.#implicit ??= this.lease().catch(error => {
      this.#implicit = undefined;
      throw error;
    });
    return await this.#implicit;
  }

  /** Runs work that writes; while any runs, the store is not idle. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      await this.use();
      return await work();
    } finally {
      this.#running -= 1;
      this.#lastUse = uptime();
    }
  }

  async lease(): Promise<Lease> {
    await this.#begin();
    this.#counter += 1;
    const path = join(this.#root, 'locks', 'leases', `${this.id}.${this.#counter}`);
    await onFile(path, async () => closeSync(openSync(path, 'wx', 0o644)));
    return {
      release: async () => rmSync(path, { force: true }),
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    if (this.#started === undefined) return;
    await this.#started.catch(() => {});
    this.#started = undefined;
    this.#implicit = undefined;
    await removeSession(this.#root, this.id);
  }

  async #begin(): Promise<void> {
    this.#started ??= this.#start().catch(error => {
      this.#started = undefined;
      throw error;
    });
    await this.#started;
  }

  async #start(): Promise<void> {
    const path = sessionPath(this.#root, this.id);
    await onFile(path, async () => {
      for (const folder of ['sessions', 'leases']) mkdirSync(join(this.#root, 'locks', folder), { recursive: true });
      writeFileSync(path, encodeIdentity(identifyProcess(), this.id), { flag: 'wx', mode: 0o644 });
      mkdirSync(join(this.#root, 'tmp', this.id), { recursive: true });
    });
    this.#heartbeat = setInterval(() => void this.#beat(path), silenceLimitMs / 6);
    this.#heartbeat.unref();
  }

  async #beat(path: string): Promise<void> {
    await renew(path);
    const lease = this.#implicit;
    if (lease === undefined || this.#running > 0 || uptime() - this.#lastUse < idleLimit) return;
    this.#implicit = undefined;
    await (await lease).release();
  }
}

/** When the oldest lease of a living process began, in ms since 1970; `undefined` when there is none. */
export async function oldestLease(root: string): Promise<number | undefined> {
  const folder = join(root, 'locks', 'leases');
  let oldest: number | undefined;
  const alive = new Map<string, boolean>();
  for (const name of (await ifExists(folder, async () => readdirSync(folder))) ?? []) {
    const session = name.slice(0, name.lastIndexOf('.'));
    if (!alive.has(session)) alive.set(session, await sessionLives(root, session));
    const path = join(folder, name);
    const stats = alive.get(session) ? await ifExists(path, async () => statSync(path)) : undefined;
    if (stats !== undefined) oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, stats.mtimeMs);
  }
  return oldest;
}

/** The ids of sessions whose process is gone, and that have left something. */
export async function deadSessions(root: string): Promise<string[]> {
  const ids = new Set<string>();
  for (const folder of [join(root, 'locks', 'sessions'), join(root, 'tmp')]) {
    for (const name of (await ifExists(folder, async () => readdirSync(folder))) ?? []) ids.add(name);
  }
  const leases = join(root, 'locks', 'leases');
  for (const name of (await ifExists(leases, async () => readdirSync(leases))) ?? [])
    ids.add(name.slice(0, name.lastIndexOf('.')));
  const dead: string[] = [];
  for (const id of ids) if (!(await sessionLives(root, id))) dead.push(id);
  return dead.sort();
}

/**
 * Removes what killed processes left: half-written blobs can be as large as any blob. What belongs to somebody else stays,
 * and is no reason not to work: `prune` tells of it.
 */
export async function sweepDeadSessions(root: string): Promise<void> {
  for (const id of await deadSessions(root)) {
    await removeSession(root, id).catch(error => {
      if (!isLadingError(error, 'IO')) throw error;
    });
  }
}

/** Removes all that a session has on the disk. */
export async function removeSession(root: string, id: string): Promise<void> {
  const leases = join(root, 'locks', 'leases');
  for (const name of (await ifExists(leases, async () => readdirSync(leases))) ?? []) {
    if (name.startsWith(`${id}.`)) rmSync(join(leases, name), { force: true });
  }
  await removeFiles(join(root, 'tmp', id));
  rmSync(sessionPath(root, id), { force: true });
}

async function sessionLives(root: string, id: string): Promise<boolean> {
  const path = sessionPath(root, id);
  try {
    const content = readFileSync(path, 'utf8');
    const silentMs = Date.now() - statSync(path).mtimeMs;
    const identity = decodeIdentity(content);
    // Between the making of the file and the writing of its line there is a moment.
    return identity === undefined ? silentMs < 2000 : isAlive(identity, silentMs);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function sessionPath(root: string, id: string): string {
  return join(root, 'locks', 'sessions', id);
}
