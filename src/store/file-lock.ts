import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import type { CallOptions } from '../stream/bytes.js';
import { hasErrno, ifExists } from './io-error.js';
import { decodeIdentity, encodeIdentity, identifyProcess, isAlive, silenceLimitMs } from './process-identity.js';

/** A lock file that says nothing readable is one whose writer was killed between making and filling it. */
const unreadableGraceMs = 2000;

/** How long somebody who only looks waits for a holder that works. */
const holderLimitMs = 600_000;

/**
 * Mutual exclusion between processes by a file that only one can create. It holds who made it, so that a lock whose
 * holder was killed is seen and broken. Within a process calls queue up in order.
 *
 * Why not `flock`: Node has none. Why not a folder or a link: no better, and this file can say who holds it.
 */
export class FileLock {
  readonly path: string;
  readonly #timeoutMs: number;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(path: string, timeoutMs = 30_000) {
    this.path = path;
    this.#timeoutMs = timeoutMs;
  }

  /** Runs `work` while holding the lock. @throws LadingError STORE_LOCKED */
  async hold<T>(work: () => Promise<T>, options: CallOptions = {}): Promise<T> {
    const turn = this.#queue.then(() => this.#holdNow(work, options));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /**
   * Waits until whoever holds it now has let go, whether or not the next one has taken it since.
   * @returns whether it was held at all
   */
  async whenReleased({ signal }: CallOptions = {}): Promise<boolean> {
    const first = await this.#read();
    if (first === undefined || first.stale) return false;
    const deadline = uptime() + holderLimitMs / 1000;
    for (;;) {
      await pause(5, signal);
      const state = await this.#read();
      if (state === undefined || state.stale || state.content !== first.content) return true;
      if (uptime() >= deadline) throw this.#locked();
    }
  }

  async #holdNow<T>(work: () => Promise<T>, options: CallOptions): Promise<T> {
    options.signal?.throwIfAborted();
    const content = encodeIdentity(identifyProcess(), randomUUID());
    await this.#acquire(content, options);
    const heartbeat = setInterval(() => void renew(this.path), silenceLimitMs / 6);
    heartbeat.unref();
    try {
      return await work();
    } finally {
      clearInterval(heartbeat);
      rmSync(this.path, { force: true });
    }
  }

  async #acquire(content: string, { signal }: CallOptions): Promise<void> {
    const deadline = uptime() + this.#timeoutMs / 1000;
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 40)) {
      if (this.#tryCreate(content)) return;
      const state = await this.#read();
      if (state?.stale) await this.#break(state.content);
      else if (state !== undefined) {
        if (uptime() >= deadline) throw this.#locked();
        await pause(pauseMs, signal);
      }
    }
  }

  #tryCreate(content: string, path = this.path): boolean {
    try {
      const file = openSync(path, 'wx', 0o644);
      try {
        writeFileSync(file, content);
      } catch (error) {
        rmSync(path, { force: true });
        throw error;
      } finally {
        closeSync(file);
      }
      return true;
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) return false;
      throw ioError(error, path);
    }
  }

  async #read(): Promise<{ readonly content: string; readonly stale: boolean } | undefined> {
    return ifExists(this.path, async () => {
      const content = readFileSync(this.path, 'utf8');
      const silentMs = Date.now() - statSync(this.path).mtimeMs;
      const identity = decodeIdentity(content);
      const alive = identity === undefined ? silentMs < unreadableGraceMs : isAlive(identity, silentMs);
      return { content, stale: !alive };
    });
  }

  /**
   * Two processes may find the same stale lock. If each simply removed it, the slower one would remove the lock that
   * the faster has made since; so removal is itself guarded, and looks again under the guard.
   */
  async #break(staleContent: string): Promise<void> {
    const guard = `${this.path}.break`;
    if (!this.#tryCreate('', guard)) {
      const made = await ifExists(guard, async () => statSync(guard));
      // Held for microseconds: an old one belongs to somebody killed in them.
      if (made !== undefined && Date.now() - made.mtimeMs > unreadableGraceMs) rmSync(guard, { force: true });
      else await delay(5);
      return;
    }
    try {
      const state = await this.#read();
      if (state?.stale && state.content === staleContent) rmSync(this.path, { force: true });
    } finally {
      rmSync(guard, { force: true });
    }
  }

  #locked(): LadingError<'STORE_LOCKED'> {
    return new LadingError('STORE_LOCKED', `another process holds ${this.path}`, {
      details: { path: this.path },
      hint: 'Wait for the other process to end, then run it again.',
    });
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, { signal }).catch(error => {
    throw signal?.aborted ? signal.reason : error;
  });
}

/** Says that the holder lives, for those who cannot ask. */
export async function renew(path: string): Promise<void> {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // It is gone, or not ours.
  }
}
