import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { removeFiles } from '../layer/remove-files.js';
import type { CallOptions } from '../stream/bytes.js';
import { FileLock, renew } from './file-lock.js';
import { ifExists, onFile } from './io-error.js';
import { decodeIdentity, encodeIdentity, identifyProcess, isAlive, silenceLimitMs } from './process-identity.js';

/** Who else may have a folder at the same time: everybody who shares it, or nobody, for whom `private` does not wait. */
export type CacheFolderSharing = 'shared' | 'private' | 'locked';

export interface OpenCacheFolderOptions extends CallOptions {
  readonly sharing: CacheFolderSharing;
  /** What is there goes first, unless it has been opened so before. */
  readonly fresh: boolean;
  /** Makes the folder at a path, with what it begins with. */
  readonly fill: (path: string) => Promise<void>;
}

export interface CacheFolder {
  readonly path: string;
  release(): Promise<void>;
}

/** Making a folder can mean to write all files of an image. */
const guardTimeoutMs = 600_000;
const pollMs = 50;
/** A file that says nothing readable is one whose writer was killed, or has not come to writing it. */
const unreadableGraceMs = 2000;

interface Holder {
  readonly slot: number;
  readonly exclusive: boolean;
}

/**
 * Folders for what commands keep from build to build, by key: `mounts/KEY/N`, where all but the first are there because
 * somebody wanted one alone while others were in use. Who has which stands in `locks/mounts/KEY/N.MODE.ID`, so that processes
 * know of each other and of those that were killed.
 */
export class CacheFolders {
  readonly #root: string;
  readonly #temporary: () => Promise<string>;
  readonly #refreshed = new Set<string>();

  /** `temporary` gives paths for what is in the making. */
  constructor(root: string, temporary: () => Promise<string>) {
    this.#root = root;
    this.#temporary = temporary;
  }

  async open(key: string, options: OpenCacheFolderOptions): Promise<CacheFolder> {
    const locks = join(this.#root, 'locks', 'mounts', key);
    const folder = join(this.#root, 'mounts', key);
    await onFile(locks, () => mkdir(locks, { recursive: true }));
    await onFile(folder, () => mkdir(folder, { recursive: true }));
    const guard = new FileLock(join(locks, 'guard'), guardTimeoutMs);
    for (;;) {
      const opened = await guard.hold(() => this.#take(key, locks, folder, options), options);
      if (opened !== undefined) return opened;
      await delay(pollMs, undefined, { signal: options.signal }).catch(error => {
        throw options.signal?.aborted ? options.signal.reason : error;
      });
    }
  }

  /** `undefined` when it has to be waited for. */
  async #take(
    key: string,
    locks: string,
    folder: string,
    { sharing, fresh, fill }: OpenCacheFolderOptions,
  ): Promise<CacheFolder | undefined> {
    const anew = fresh && !this.#refreshed.has(key);
    const holders = await holdersIn(locks);
    const names = await onFile(folder, () => readdir(folder));
    const slots = names.filter(name => /^\d+$/.test(name)).map(Number);
    const exclusive = sharing !== 'shared' || anew;
    const isFree = (slot: number): boolean =>
      !holders.some(held => held.slot === slot && (exclusive || held.exclusive));
    const free = slots.sort((a, b) => a - b).find(isFree);
    if (free === undefined && slots.length > 0 && sharing === 'locked') return undefined;
    const slot = free ?? slots.length;
    const path = join(folder, String(slot));
    if (anew) await removeFiles(path);
    if (anew || free === undefined) {
      const made = await this.#temporary();
      try {
        await fill(made);
        await onFile(path, () => rename(made, path));
      } finally {
        await removeFiles(made);
      }
    }
    this.#refreshed.add(key);
    const now = new Date();
    await utimes(folder, now, now).catch(() => {});
    return { path, release: await hold(join(locks, `${slot}.${sharing === 'shared' ? 's' : 'x'}.${randomUUID()}`)) };
  }
}

/** @returns what lets go */
async function hold(path: string): Promise<() => Promise<void>> {
  const identity = encodeIdentity(await identifyProcess(), randomUUID());
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

/** Those that live; the files of the others are removed. */
async function holdersIn(locks: string): Promise<Holder[]> {
  const holders: Holder[] = [];
  for (const name of await onFile(locks, () => readdir(locks))) {
    const match = /^(\d+)\.([sx])\./.exec(name);
    if (match === null) continue;
    const path = join(locks, name);
    if (await lives(path)) holders.push({ slot: Number(match[1]), exclusive: match[2] === 'x' });
    else await rm(path, { force: true });
  }
  return holders;
}

async function lives(path: string): Promise<boolean> {
  const seen = await ifExists(path, async () => [await readFile(path, 'utf8'), await stat(path)] as const);
  if (seen === undefined) return false;
  const [content, { mtimeMs }] = seen;
  const silentMs = Date.now() - mtimeMs;
  const identity = decodeIdentity(content);
  return identity === undefined ? silentMs < unreadableGraceMs : await isAlive(identity, silentMs);
}
