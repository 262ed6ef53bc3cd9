import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
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
  /** Names of the snapshots that it lies on, the topmost first: empty for one that is whole. */
  readonly below: readonly string[];
}

export type SnapshotKind = 'overlay' | 'directory';

/**
 * Snapshots of one kind, made by one user with one way to own files. They are made elsewhere and renamed into place, so
 * what is there is whole; what cannot be understood is as good as nothing.
 */
export class SnapshotShelf {
  readonly #store: RootStore;
  readonly #kind: string;
  #folder: Promise<string> | undefined;

  constructor(store: RootStore, kind: SnapshotKind, owners: 'kept' | 'recorded') {
    this.#store = store;
    this.#kind = [format, kind, owners, owners === 'kept' ? '' : String(geteuid?.() ?? '')].join('\n');
  }

  /** The name that the snapshot of these layers has: short, for many of them must fit into the options of a mount. */
  nameOf(layers: readonly LayerRef[]): string {
    return createHash('sha256')
      .update(`${this.#kind}\n${chainId(layers)}`)
      .digest('hex')
      .slice(0, 24);
  }

  async find(layers: readonly LayerRef[]): Promise<Snapshot | undefined> {
    const snapshot = await this.#read(this.nameOf(layers));
    return snapshot !== undefined && chainId(snapshot.layers) === chainId(layers) ? snapshot : undefined;
  }

  /** A snapshot by its name, when it is there and one of these. */
  async named(name: string): Promise<Snapshot | undefined> {
    const snapshot = await this.#read(name);
    return snapshot !== undefined && this.nameOf(snapshot.layers) === name ? snapshot : undefined;
  }

  async all(): Promise<Snapshot[]> {
    const names = await readdir(await this.#place());
    const snapshots = await Promise.all(names.map(name => this.named(name)));
    return snapshots.filter(snapshot => snapshot !== undefined);
  }

  /** The folders with the files of snapshots, by their names. */
  async roots(names: readonly string[]): Promise<string[]> {
    const place = await this.#place();
    return names.map(name => join(place, name, 'root'));
  }

  /** Says that it is being used, so that what has not been goes first. */
  async touch({ folder }: Snapshot): Promise<void> {
    const now = new Date();
    await utimes(folder, now, now).catch(() => {});
  }

  /** Moves `work`, which has its `root`, into place; when the same is there already, that stays and `work` goes. */
  async place(work: string, layers: readonly LayerRef[], below: readonly string[]): Promise<Snapshot> {
    const name = this.nameOf(layers);
    const folder = join(await this.#place(), name);
    try {
      await chmod(work, 0o700);
      await writeFile(join(work, 'about'), JSON.stringify({ kind: this.#kind, layers, below }));
      await rename(work, folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw ioError(error, folder);
      await removeFiles(work);
    }
    return { name, folder, layers, below };
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
      const { kind, layers, below } = JSON.parse(await readFile(join(folder, 'about'), 'utf8'));
      if (kind !== this.#kind || !layers.every((layer: LayerRef) => isDigest(layer.diffId))) return undefined;
      return { name, folder, layers, below };
    } catch {
      return undefined;
    }
  }

  #place(): Promise<string> {
    this.#folder ??= this.#store.folder('snapshots').then(async folder => {
      // Files with setuid lie here that belong to whoever builds: nobody else may reach them.
      await chmod(folder, 0o700);
      return folder;
    });
    return this.#folder;
  }
}

/** A folder for a root in the making: `root` in it is empty. */
export async function newWork(store: RootStore): Promise<string> {
  const work = await store.workFolder();
  await chmod(work, 0o700);
  await mkdir(join(work, 'root'), { mode: 0o755 });
  return work;
}
