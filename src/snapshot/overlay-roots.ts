import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ioError } from '../errors/io-error.js';
import { diffTrees } from '../layer/diff.js';
import { removeFiles } from '../layer/remove-files.js';
import { emptyRoot, treeOfLayers } from '../layer/tree-of-layers.js';
import type { RootFileSystem } from '../sandbox/sandbox.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';
import { changedTree } from './changed-tree.js';
import type { ProgramEnvironment } from './file-attributes.js';
import { finishChanges } from './finish-changes.js';
import { KnownTrees } from './known-trees.js';
import { placeRoot } from './left-root.js';
import { readUpper, type UpperChanges } from './read-upper.js';
import type { RootStore } from './root-store.js';
import type { ChangesOptions, OpenRootOptions, RanProcess, RootState, WorkingRoot } from './roots.js';
import { newWork, type Snapshot, SnapshotShelf } from './snapshot-shelf.js';
import { Underway } from './underway.js';
import { WalkedFolders } from './walked-folders.js';
import { writeTree } from './write-tree.js';

/** The options of a mount are a page long, and lookups go through all folders: above this they are made one. */
const stackLimit = 40;
const stackBytes = 3500;

export interface OverlayRootsOptions {
  readonly store: RootStore;
  readonly owners: 'kept' | 'recorded';
  readonly env?: ProgramEnvironment | undefined;
}

/**
 * Roots as folders on one another. A base image is one folder; what a process changes is, as the kernel leaves it, the
 * folder on top for the next one; layers of other steps are written into folders of their own, as many as come together.
 */
export class OverlayRoots {
  readonly #options: OverlayRootsOptions;
  readonly #shelf: SnapshotShelf;
  readonly #underway = new Underway<Snapshot>();
  readonly #trees: KnownTrees;

  constructor(options: OverlayRootsOptions) {
    this.#options = options;
    this.#trees = new KnownTrees(options.store);
    this.#shelf = new SnapshotShelf(options.store, 'overlay', options.owners);
  }

  async open(state: RootState, { folder, ...options }: OpenRootOptions = {}): Promise<WorkingRoot> {
    const snapshot = await this.#ensure(state, options);
    await this.#shelf.touch(snapshot);
    this.#trees.add(state);
    const made = await newWork(this.#options.store);
    try {
      mkdirSync(join(made, 'work'));
      const { uid, gid, mode } = state.tree;
      if (this.#options.owners === 'kept') chownSync(join(made, 'root'), uid, gid);
      chmodSync(join(made, 'root'), mode);
    } catch (error) {
      throw ioError(error, made);
    }
    if (folder !== undefined) await placeRoot(made, folder, { roots: 'overlay', owners: this.#options.owners });
    const lower = [snapshot.name, ...snapshot.below];
    const work = folder ?? made;
    const root: RootFileSystem = {
      kind: 'overlay',
      lower: await this.#shelf.roots(lower),
      upper: join(work, 'root'),
      work: join(work, 'work'),
      // What a killed build leaves is of no use, and snapshots are trusted until the machine is started again.
      lasting: folder !== undefined,
    };
    return { root, ...this.#working(state, work, lower) };
  }

  async reopen(state: RootState, folder: string): Promise<Pick<WorkingRoot, 'changes' | 'close'>> {
    return this.#working(state, folder, []);
  }

  /** Of a root whose files lie in `work`, on snapshots. */
  #working(state: RootState, work: string, lower: readonly string[]): Omit<WorkingRoot, 'root'> {
    const upper = join(work, 'root');
    const folders = new WalkedFolders(this.#options.owners);
    let found: Promise<UpperChanges> | undefined;
    const read = (call: CallOptions = {}): Promise<UpperChanges> => {
      found ??= readUpper(upper, state.tree, folders, { ...call, env: this.#options.env });
      return found;
    };
    let kept = false;
    return {
      changes: async (ran: RanProcess, call: ChangesOptions = {}) => {
        const { changes, capabilities } = await read(call);
        const { store, owners } = this.#options;
        return await changedTree(state.tree, changes, {
          ...call,
          owners,
          ran,
          capabilities: owners === 'kept' ? capabilities : 'unknown',
          hashFiles: (files, hash) => store.hashFiles(files, hash),
        });
      },
      keep: async next => {
        finishChanges((await read()).changes, next.tree);
        folders.close();
        // One more would be too many: the next root is made of the layers, as one folder.
        if (await this.#fits(lower)) {
          await removeWork(join(work, 'work'));
          await this.#shelf.place(work, next.layers, lower);
        } else {
          await removeFiles(work);
        }
        this.#trees.add(next);
        kept = true;
      },
      close: async () => {
        folders.close();
        if (!kept) await removeFiles(work);
      },
    };
  }

  async #ensure(state: RootState, options: CallOptions): Promise<Snapshot> {
    const known = await this.#shelf.find(state.layers);
    if (known !== undefined) return known;
    return await this.#underway.do(this.#shelf.nameOf(state.layers), options.signal, () => this.#make(state, options));
  }

  async #make(state: RootState, options: CallOptions): Promise<Snapshot> {
    const { layers } = state;
    const below = await this.#newestBelow(state, options);
    if (below !== undefined && (await this.#fits([below.name, ...below.below]))) {
      const before = await this.#trees.get(below.layers, options);
      const above = layers.slice(below.layers.length);
      // Made of the tree below, so that what the layers above leave alone is known without comparing.
      const after = await treeOfLayers(above, this.#options.store, { ...options, root: before });
      if (isAddition(before, after))
        return await this.#write(layers, before, after, [below.name, ...below.below], options);
    }
    return await this.#write(layers, emptyRoot, state.tree, [], options);
  }

  /** The snapshot of as many of the layers as there is one of; that of the base is made when there is none. */
  async #newestBelow({ layers, baseLayers }: RootState, options: CallOptions): Promise<Snapshot | undefined> {
    for (let count = layers.length - 1; count > 0; count--) {
      const snapshot = await this.#shelf.find(layers.slice(0, count));
      if (snapshot !== undefined) return snapshot;
    }
    if (baseLayers === 0 || baseLayers === layers.length) return undefined;
    const base = layers.slice(0, baseLayers);
    const tree = await this.#trees.get(base, options);
    return await this.#ensure({ layers: base, baseLayers, tree }, options);
  }

  async #write(
    layers: readonly LayerRef[],
    before: DirectoryNode,
    after: DirectoryNode,
    below: readonly string[],
    options: CallOptions,
  ): Promise<Snapshot> {
    const work = await newWork(this.#options.store);
    try {
      await writeTree(join(work, 'root'), before, after, { ...options, ...this.#options });
      return await this.#shelf.place(work, layers, below);
    } catch (error) {
      await removeFiles(work);
      throw error;
    }
  }

  /** Whether another folder may come on top of these. */
  async #fits(names: readonly string[]): Promise<boolean> {
    const roots = await this.#shelf.roots(names);
    return roots.length < stackLimit && roots.reduce((total, root) => total + root.length + 1, 0) < stackBytes;
  }
}

/** Whether everything of the tree before is still there, so that a folder on top can say what is new without whiteouts. */
function isAddition(before: DirectoryNode, after: DirectoryNode): boolean {
  for (const entry of diffTrees(before, after)) if ('whiteout' in entry) return false;
  return true;
}

/** What an overlay has worked in: a handful of folders, which are gone before a thread is woken for the first of them. */
async function removeWork(path: string): Promise<void> {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // They are closed to their owner.
    await removeFiles(path);
  }
}
