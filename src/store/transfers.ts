import { lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TransferNote } from '../content/content.js';
import { isLadingError } from '../errors/errors.js';
import { type Digest, digestAlgorithm, digestHex, digestOf } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import { replaceFile } from './durable.js';
import { FileLock } from './file-lock.js';
import { ifExists, onFile } from './io-error.js';

/** A transfer of which something is on the disk. */
export interface TransferFiles {
  /** Of the transfer itself, whether it is there or only its lock. */
  readonly path: string;
  readonly size: number;
  readonly usedMs: number;
}

const lockSuffix = '.lock';

/**
 * The parts of blobs that have arrived, and the notes of uploads: in the store below `transfers/`. Each has a lock beside
 * it, so that one process works on it and others wait; what a killed process leaves, the next one goes on with.
 */
export class Transfers {
  readonly #place: (name: string) => string;
  readonly #temporary: () => Promise<string>;

  /** `place` says where a file with such a name lies. */
  constructor(place: (name: string) => string, temporary: () => Promise<string>) {
    this.#place = place;
    this.#temporary = temporary;
  }

  /** Gives work the file for a blob that arrives, while nobody else has it. */
  async holdBlob<T>(digest: Digest, work: (path: string) => Promise<T>, options?: CallOptions): Promise<T> {
    return this.#hold(`blob-${digestAlgorithm(digest)}-${digestHex(digest)}`, work, options);
  }

  /** Gives work the note under a key, while nobody else has it. Only the user can read it. */
  async holdNote<T>(key: string, work: (note: TransferNote) => Promise<T>, options?: CallOptions): Promise<T> {
    const name = `note-${digestHex(digestOf(key))}`;
    return this.#hold(
      name,
      path =>
        work({
          read: () => ifExists(path, () => readFile(path, 'utf8')),
          write: async text => {
            const temporary = await this.#temporary();
            await replaceFile(path, Buffer.from(text), { temporary, durable: false, mode: 0o600 });
          },
          remove: () => onFile(path, () => rm(path, { force: true })),
        }),
      options,
    );
  }

  async #hold<T>(name: string, work: (path: string) => Promise<T>, options?: CallOptions): Promise<T> {
    const path = this.#place(name);
    await onFile(path, () => mkdir(dirname(path), { recursive: true }));
    // However long the other one takes: a blob may be as large as it likes, and who is dead holds nothing.
    const lock = new FileLock(`${path}${lockSuffix}`, Number.POSITIVE_INFINITY);
    return lock.hold(() => work(path), options);
  }
}

export async function listTransfers(root: string): Promise<TransferFiles[]> {
  const folder = transfersFolder(root);
  const found = new Map<string, TransferFiles>();
  for (const name of (await ifExists(folder, () => readdir(folder))) ?? []) {
    const file = join(folder, name);
    const stats = await ifExists(file, () => lstat(file));
    if (stats === undefined) continue;
    const path = file.replace(/\.lock(?:\.break)?$/, '');
    const { size = 0, usedMs = 0 } = found.get(path) ?? {};
    found.set(path, { path, size: size + stats.size, usedMs: Math.max(usedMs, stats.mtimeMs) });
  }
  return [...found.values()];
}

/** Removes what is there of a transfer, unless somebody is at it. */
export async function removeTransfer(path: string): Promise<void> {
  try {
    await new FileLock(`${path}${lockSuffix}`, 0).hold(() =>
      onFile(path, () => rm(path, { recursive: true, force: true })),
    );
  } catch (error) {
    if (!isLadingError(error, 'STORE_LOCKED')) throw error;
  }
}

/** Where the store has them. */
export function transfersFolder(root: string): string {
  return join(root, 'transfers');
}
