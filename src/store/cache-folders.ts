import { mkdir, readdir, rename, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { removeFiles } from '../layer/remove-files.js';
import type { CallOptions } from '../stream/bytes.js';
import { CacheFolderLocks } from './cache-folder-locks.js';
import { onFile } from './io-error.js';

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

const pollMs = 50;

/**
 * Folders for what commands keep from build to build, by key: `mounts/KEY/N`, where all but the first are there because
 * somebody wanted one alone while others were in use. See {@link CacheFolderLocks} for who has which.
 */
export class CacheFolders {
  readonly #root: string;
  readonly #locks: CacheFolderLocks;
  readonly #temporary: () => Promise<string>;
  readonly #refreshed = new Set<string>();

  /** `temporary` gives paths for what is in the making. */
  constructor(root: string, temporary: () => Promise<string>) {
    this.#root = root;
    this.#locks = new CacheFolderLocks(root);
    this.#temporary = temporary;
  }

  async open(key: string, options: OpenCacheFolderOptions): Promise<CacheFolder> {
    for (;;) {
      const opened = await this.#locks.guarded(key, () => this.#take(key, options), options);
      if (opened !== undefined) return opened;
      await delay(pollMs, undefined, { signal: options.signal }).catch(error => {
        throw options.signal?.aborted ? options.signal.reason : error;
      });
    }
  }

  /** `undefined` when it has to be waited for. */
  async #take(key: string, { sharing, fresh, fill }: OpenCacheFolderOptions): Promise<CacheFolder | undefined> {
    const anew = fresh && !this.#refreshed.has(key);
    const folder = join(this.#root, 'mounts', key);
    await onFile(folder, () => mkdir(folder, { recursive: true }));
    const holders = await this.#locks.holders(key);
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
    return { path, release: await this.#locks.hold(key, { slot, exclusive: sharing !== 'shared' }) };
  }
}
