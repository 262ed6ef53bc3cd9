import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ioError } from '../errors/io-error.js';
import { diffTrees } from '../layer/diff.js';
import { removeFiles } from '../layer/remove-files.js';
import { emptyRoot, treeOfLayers } from '../layer/tree-of-layers.js';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';
import { chainId } from './chain-id.js';
import { changedTree } from './changed-tree.js';
import { readCapabilities } from './file-attributes.js';
import { finishChanges } from './finish-changes.js';
import type { FoundChange } from './found-change.js';
import { readUpper } from './read-upper.js';
import type { RootStore } from './root-store.js';
import type { ChangesOptions, RanProcess, RootState, WorkingRoot } from './roots.js';
import { newWork, type Snapshot, SnapshotShelf } from './snapshot-shelf.js';
import { Underway } from './underway.js';
import { writeTree } from './write-tree.js';

/** The options of a mount are a page long, and lookups go through all folders: above this they are made one. */
const stackLimit = 40;
const stackBytes = 3500;
/** Trees of states that the next one is likely to stand on. */
const rememberedTrees = 8;

export interface OverlayRootsOptions {
  readonly store: RootStore;
  readonly owners: 'kept' | 'recorded';
}

/**
 * Roots as folders on one another. A base image is one folder; what a process changes is, as the kernel leaves it, the
 * folder on top for the next one; layers of other steps are written into folders of their own, as many as come together.
 */
export class OverlayRoots {
  readonly #options: OverlayRootsOptions;
  readonly #shelf: SnapshotShelf;
  readonly #underway = new Underway<Snapshot>();
  /** The newest last. */
  readonly #trees = new Map<Digest, DirectoryNode>();

  constructor(options: OverlayRootsOptions) {
    this.#options = options;
    this.#shelf = new SnapshotShelf(options.store, 'overlay', options.owners);
  }

  async open(state: RootState, options: CallOptions = {}): Promise<WorkingRoot> {
    const snapshot = await this.#ensure(state, options);
    this.#remember(state);
    const work = await newWork(this.#options.store);
    const upper = join(work, 'root');
    const scratch = join(work, 'work');
    try {
      mkdirSync(scratch);
      const { uid, gid, mode } = state.tree;
      if (this.#options.owners === 'kept') chownSync(upper, uid, gid);
      chmodSync(upper, mode);
    } catch (error) {
      throw ioError(error, work);
    }
    const lower = [snapshot.name, ...snapshot.below];
    let found: Promise<readonly FoundChange[]> | undefined;
    const read = (call: CallOptions = {}): Promise<readonly FoundChange[]> => {
      found ??= readUpper(upper, state.tree, call);
      return found;
    };
    let kept = false;
    return {
      root: { kind: 'overlay', lower: await this.#shelf.roots(lower), upper, work: scratch },
      changes: async (ran: RanProcess, call: ChangesOptions = {}) => {
        const changes = await read(call);
        const { store, owners } = this.#options;
        const capabilities = owners === 'kept' ? await readCapabilities(upper, changes) : new Map();
        return await changedTree(state.tree, changes, {
          ...call,
          owners,
          ran,
          capabilities,
          hashFiles: (files, hash) => store.hashFiles(files, hash),
        });
      },
      keep: async next => {
        finishChanges(await read(), next.tree);
        await removeFiles(scratch);
        await this.#shelf.place(work, next.layers, lower);
        this.#remember(next);
        kept = true;
      },
      close: async () => {
        if (!kept) await removeFiles(work);
      },
    };
  }

  async #ensure(state: RootState, options: CallOptions): Promise<Snapshot> {
    const known = await this.#intact(state.layers);
    if (known !== undefined) return known;
    return await this.#underway.do(this.#shelf.nameOf(state.layers), options.signal, () => this.#make(state, options));
  }

  async #make(state: RootState, options: CallOptions): Promise<Snapshot> {
    const { layers } = state;
    const below = await this.#newestBelow(state, options);
    if (below !== undefined && (await this.#fits(below))) {
      const before =
        this.#trees.get(chainId(below.layers)) ?? (await treeOfLayers(below.layers, this.#options.store, options));
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
      const snapshot = await this.#intact(layers.slice(0, count));
      if (snapshot !== undefined) return snapshot;
    }
    if (baseLayers === 0 || baseLayers === layers.length) return undefined;
    const base = layers.slice(0, baseLayers);
    const tree = await treeOfLayers(base, this.#options.store, options);
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

  /** A snapshot that is there with all that it lies on. */
  async #intact(layers: readonly LayerRef[]): Promise<Snapshot | undefined> {
    const snapshot = await this.#shelf.find(layers);
    if (snapshot === undefined) return undefined;
    const stack = [snapshot, ...(await Promise.all(snapshot.below.map(name => this.#shelf.named(name))))];
    for (const part of stack) if (part === undefined) return undefined;
    for (const part of stack) await this.#shelf.touch(part!);
    return snapshot;
  }

  async #fits({ name, below }: Snapshot): Promise<boolean> {
    const roots = await this.#shelf.roots([name, ...below]);
    return roots.length < stackLimit && roots.reduce((total, root) => total + root.length + 1, 0) < stackBytes;
  }

  #remember({ layers, tree }: RootState): void {
    const chain = chainId(layers);
    this.#trees.delete(chain);
    this.#trees.set(chain, tree);
    if (this.#trees.size > rememberedTrees) this.#trees.delete(this.#trees.keys().next().value!);
  }
}

/** Whether everything of the tree before is still there, so that a folder on top can say what is new without whiteouts. */
function isAddition(before: DirectoryNode, after: DirectoryNode): boolean {
  for (const entry of diffTrees(before, after)) if ('whiteout' in entry) return false;
  return true;
}
