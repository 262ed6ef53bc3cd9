import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isLadingError } from '../errors/errors.js';
import type { CallOptions } from '../stream/bytes.js';
import { FileLock, renew } from './file-lock.js';
import { ifExists, onFile } from './io-error.js';
import { decodeIdentity, encodeIdentity, identifyProcess, isAlive, silenceLimitMs } from './process-identity.js';

/** Somebody who has a folder of a cache: alone, or with whoever else shares it. */
export interface CacheFolderHolder {
  readonly slot: number;
  readonly exclusive: boolean;
}

/** Making a folder can mean to write all files of an image. */
const guardTimeoutMs = 600_000;
/** A file that says nothing readable is one whose writer was killed, or has not come to writing it. */
const unreadableGraceMs = 2000;

/**
 * Who has which folder of the caches: `locks/mounts/KEY.SLOT.MODE.ID` for each of them, made and counted only under
 * `KEY.guard`. Processes know of each other by it, and of those that were killed. No file or folder outlives its use.
 */
export class CacheFolderLocks {
  readonly #folder: string;

  constructor(root: string) {
    this.#folder = join(root, 'locks', 'mounts');
  }

  /** Does work during which nobody else takes a folder of the key, or looks whether it is free. @throws LadingError STORE_LOCKED */
  async guarded<T>(key: string, work: () => Promise<T>, options?: CallOptions): Promise<T> {
    return (await this.#guard(key, guardTimeoutMs)).hold(work, options);
  }

  /** Those that live; the files of the others are removed. */
  async holders(key: string): Promise<CacheFolderHolder[]> {
    const holders: CacheFolderHolder[] = [];
    for (const { name, key: of, slot, mode } of await this.#files()) {
      if (of !== key || slot === undefined) continue;
      if (await this.#livesOrGoes(name)) holders.push({ slot, exclusive: mode === 'x' });
    }
    return holders;
  }

  /** @returns what lets go */
  async hold(key: string, { slot, exclusive }: CacheFolderHolder): Promise<() => Promise<void>> {
    const path = join(this.#folder, `${key}.${slot}.${exclusive ? 'x' : 's'}.${randomUUID()}`);
    const identity = encodeIdentity(identifyProcess(), randomUUID());
    await onFile(path, async () => {
      const handle = await open(path, 'wx', 0o644);
      await handle.writeFile(identity).finally(() => handle.close());
    });
    const heartbeat = setInterval(() => void renew(path), silenceLimitMs / 6);
    heartbeat.unref();
    return async () => {
      clearInterval(heartbeat);
      await rm(path, { force: true });
    };
  }

  /** Does work under the guard if nobody has a folder of the key or is about to take one; waits for nobody. @returns whether */
  async ifUnused(key: string, work: () => Promise<void>): Promise<boolean> {
    const guard = await this.#guard(key, 0);
    try {
      return await guard.hold(async () => {
        if ((await this.holders(key)).length > 0) return false;
        await work();
        return true;
      });
    } catch (error) {
      if (isLadingError(error, 'STORE_LOCKED')) return false;
      throw error;
    }
  }

  /** Removes what killed processes left. */
  async sweep(): Promise<void> {
    const files = await this.#files();
    for (const { name, slot } of files) if (slot !== undefined) await this.#livesOrGoes(name);
    // Whoever takes a guard over takes it away at the end.
    for (const key of new Set(files.filter(({ slot }) => slot === undefined).map(({ key }) => key))) {
      await this.ifUnused(key, async () => {});
    }
  }

  async #guard(key: string, timeoutMs: number): Promise<FileLock> {
    await onFile(this.#folder, () => mkdir(this.#folder, { recursive: true }));
    return new FileLock(join(this.#folder, `${key}.guard`), timeoutMs);
  }

  /** All there are; a guard has no slot. */
  async #files(): Promise<Array<{ name: string; key: string; slot?: number; mode?: string }>> {
    const names = (await ifExists(this.#folder, () => readdir(this.#folder))) ?? [];
    return names.flatMap(name => {
      const [, key, slot, mode] = /^(.+?)\.(?:(\d+)\.([sx])\.[\da-f-]+|guard)$/.exec(name) ?? [];
      if (key === undefined) return [];
      return slot === undefined ? { name, key } : { name, key, slot: Number(slot), mode: mode! };
    });
  }

  async #livesOrGoes(name: string): Promise<boolean> {
    const path = join(this.#folder, name);
    const seen = await ifExists(path, async () => [await readFile(path, 'utf8'), await stat(path)] as const);
    if (seen === undefined) return false;
    const [content, { mtimeMs }] = seen;
    const silentMs = Date.now() - mtimeMs;
    const identity = decodeIdentity(content);
    const lives = identity === undefined ? silentMs < unreadableGraceMs : isAlive(identity, silentMs);
    if (!lives) await rm(path, { force: true });
    return lives;
  }
}
