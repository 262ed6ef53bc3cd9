import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { geteuid } from 'node:process';
import { ioError } from '../errors/io-error.js';
import { removeFiles } from '../layer/remove-files.js';
import { isDigest } from '../oci/digest.js';
import type { LayerRef } from '../tree/node.js';
import { chainId } from './chain-id.js';
import type { RootStore } from './root-store.js';

/** Raised when what lies in a snapshot changes. */
const format = 'lading snapshot 1';

/** A root, or a part of one, that is kept between builds. Its folder has `root` with the files and `about` with this. */
export interface Snapshot {
  /** Of its folder. */
  readonly name: string;
  readonly folder: string;
  /** What it holds, oldest first. */
  readonly layers: readonly LayerRef[];
  /** Made since this machine was started. */
  readonly current: boolean;
  /** Names of the snapshots that it lies on, the topmost first: empty for one that is whole. */
  readonly below: readonly string[];
}

export type SnapshotKind = 'overlay' | 'directory';

/**
 * Snapshots of one kind, made by one user with one way to own files. They are made elsewhere and renamed into place, so
 * what is there is whole; what cannot be understood is as good as nothing. Nothing of them is flushed, which would take
 * longer than making them: so they are trusted until the machine is started again, for it may have lost power.
 */
export class SnapshotShelf {
  readonly #store: RootStore;
  readonly #kind: string;

  constructor(store: RootStore, kind: SnapshotKind, owners: 'kept' | 'recorded') {
    this.#store = store;
    this.#kind = [format, kind, owners, geteuid?.() ?? '', idMap()].join('\n');
  }

  /** The name that the snapshot of these layers has: short, for many of them must fit into the options of a mount. */
  nameOf(layers: readonly LayerRef[]): string {
    return createHash('sha256')
      .update(`${this.#kind}\n${chainId(layers)}`)
      .digest('hex')
      .slice(0, 24);
  }

  /** The snapshot of layers, when it is there with all that it lies on. */
  async find(layers: readonly LayerRef[]): Promise<Snapshot | undefined> {
    const snapshot = await this.#read(this.nameOf(layers));
    if (snapshot === undefined || chainId(snapshot.layers) !== chainId(layers)) return undefined;
    const stack = [snapshot, ...(await Promise.all(snapshot.below.map(name => this.#read(name))))];
    return stack.every(part => part?.current) ? snapshot : undefined;
  }

  async all(): Promise<Snapshot[]> {
    const names = await readdir(await this.#place());
    const snapshots = await Promise.all(names.map(name => this.#read(name)));
    return snapshots.filter(snapshot => snapshot !== undefined);
  }

  /** The folders with the files of snapshots, by their names. */
  async roots(names: readonly string[]): Promise<string[]> {
    const place = await this.#place();
    return names.map(name => join(place, name, 'root'));
  }

  /** Says that it is being used, so that what has not been goes first. */
  async touch({ name, below }: Pick<Snapshot, 'name' | 'below'>): Promise<void> {
    const now = new Date();
    const place = await this.#place();
    for (const part of [name, ...below]) {
      try {
        utimesSync(join(place, part), now, now);
      } catch {
        // It is gone, which whoever uses it finds.
      }
    }
  }

  /** Moves `work`, which has its `root`, into place; when the same is there already, that stays and `work` goes. */
  async place(work: string, layers: readonly LayerRef[], below: readonly string[]): Promise<Snapshot> {
    const name = this.nameOf(layers);
    const folder = join(await this.#place(), name);
    try {
      chmodSync(work, 0o700);
      writeFileSync(join(work, 'about'), JSON.stringify({ kind: this.#kind, boot: bootId(), layers, below }));
    } catch (error) {
      throw ioError(error, work);
    }
    for (;;) {
      try {
        await rename(work, folder);
        return { name, folder, layers, below, current: true };
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') throw ioError(error, folder);
      }
      const other = await this.find(layers);
      if (other !== undefined) {
        await removeFiles(work);
        return other;
      }
      // Something of it has been deleted, or it never was a snapshot.
      const aside = `${work}.aside`;
      await rename(folder, aside).catch(error => {
        if (error.code !== 'ENOENT') throw ioError(error, folder);
      });
      await removeFiles(aside);
    }
  }

  /** Takes a snapshot for oneself, by moving it to a path where nothing is. @returns whether it was still there */
  async take({ folder }: Snapshot, work: string): Promise<boolean> {
    try {
      await rename(folder, work);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw ioError(error, folder);
    }
  }

  async #read(name: string): Promise<Snapshot | undefined> {
    const folder = join(await this.#place(), name);
    try {
      const { kind, boot, layers, below } = JSON.parse(readFileSync(join(folder, 'about'), 'utf8'));
      // Each is where its name says: one that has been put elsewhere is none.
      const sound = kind === this.#kind && layers.every(({ diffId }: LayerRef) => isDigest(diffId));
      return sound && this.nameOf(layers) === name
        ? { name, folder, layers, below, current: boot === bootId() }
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** Asked for each time: the folder may be deleted at any time; that is what it is for. */
  async #place(): Promise<string> {
    const folder = await this.#store.folder('snapshots');
    // Files with setuid lie here that belong to whoever builds: nobody else may reach them.
    chmodSync(folder, 0o700);
    return folder;
  }
}

/** What user ids mean here: in a user namespace others than outside. */
export function idMap(): string {
  try {
    return readFileSync('/proc/self/uid_map', 'utf8').trim().replace(/\s+/g, ' ');
  } catch {
    return '';
  }
}

let boot: string | undefined;

/** Another one each time that the machine is started. */
function bootId(): string {
  try {
    boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    boot = '';
  }
  return boot;
}

/** A folder for a root in the making: `root` in it is empty. */
export async function newWork(store: RootStore): Promise<string> {
  const work = await store.workFolder();
  chmodSync(work, 0o700);
  mkdirSync(join(work, 'root'), { mode: 0o755 });
  return work;
}
