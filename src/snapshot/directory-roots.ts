import { type BigIntStats, lstatSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '../errors/io-error.js';
import { removeFiles } from '../layer/remove-files.js';
import { RootDirectory } from '../layer/root-directory.js';
import { emptyRoot } from '../layer/tree-of-layers.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode, LayerRef, TreeNode } from '../tree/node.js';
import { joinPath, toHostPath } from '../tree/path.js';
import { changedTree, type ReadChangesOptions } from './changed-tree.js';
import { readCapabilities } from './file-attributes.js';
import { finishChanges } from './finish-changes.js';
import type { FoundChange } from './found-change.js';
import { KnownTrees } from './known-trees.js';
import { placeRoot } from './left-root.js';
import type { OverlayRootsOptions } from './overlay-roots.js';
import type { OpenRootOptions, RootState, WorkingRoot } from './roots.js';
import { scanDirectory } from './scan-directory.js';
import { newWork, type Snapshot, SnapshotShelf } from './snapshot-shelf.js';
import { StatTable } from './stat-table.js';
import { treeDifference } from './tree-difference.js';
import { WalkedFolders } from './walked-folders.js';
import { writeEntries } from './write-tree.js';

const tableName = 'stats';

/** A folder on the disk that holds a tree, and what `stat` says of it. */
interface Filled {
  /** Has `root` in it. */
  readonly work: string;
  readonly tree: DirectoryNode;
  readonly table: StatTable;
}

/**
 * Roots as single folders. A folder goes with its build from state to state, and is kept at the last one; the next build
 * takes the one that is nearest to what it needs, and changes it where it differs.
 */
export class DirectoryRoots {
  readonly #options: OverlayRootsOptions;
  readonly #shelf: SnapshotShelf;
  readonly #trees: KnownTrees;

  constructor(options: OverlayRootsOptions) {
    this.#options = options;
    this.#trees = new KnownTrees(options.store);
    this.#shelf = new SnapshotShelf(options.store, 'directory', options.owners);
  }

  async open(state: RootState, { folder, ...options }: OpenRootOptions = {}): Promise<WorkingRoot> {
    const filled = await this.#move(await this.#nearest(state, options), state.tree, options);
    this.#trees.add(state);
    const { work, table } = filled;
    if (folder !== undefined) {
      await writeFile(join(work, tableName), table.encode());
      await placeRoot(work, folder, { roots: 'directory', owners: this.#options.owners });
    }
    return this.#working(state, folder ?? work, table);
  }

  async reopen(state: RootState, folder: string): Promise<Pick<WorkingRoot, 'changes' | 'close'>> {
    const encoded = await readFile(join(folder, tableName)).catch(() => Buffer.alloc(0));
    const { changes } = this.#working(state, folder, StatTable.decode(encoded) ?? new StatTable(0));
    return { changes, close: () => removeFiles(folder) };
  }

  /** Of a root whose files lie in `work`, of which the table tells what they were like. */
  #working(state: RootState, work: string, table: StatTable): WorkingRoot {
    const root = join(work, 'root');
    const { store, owners, env } = this.#options;
    const folders = new WalkedFolders(owners);
    let found: Promise<readonly FoundChange[]> | undefined;
    const scan = (call: CallOptions = {}): Promise<readonly FoundChange[]> => {
      found ??= scanDirectory(root, state.tree, table, folders, call);
      return found;
    };
    let closed = false;
    const read = async (call: Pick<ReadChangesOptions, 'ran' | 'clamp' | 'signal'>): Promise<DirectoryNode> => {
      const changes = await scan(call);
      const capabilities = owners === 'kept' ? await readCapabilities(root, changes, env) : 'unknown';
      const hashFiles: ReadChangesOptions['hashFiles'] = (files, hash) => store.hashFiles(files, hash);
      return await changedTree(state.tree, changes, { ...call, owners, capabilities, hashFiles });
    };
    return {
      root: { kind: 'directory', path: root },
      changes: (ran, call = {}) => read({ ...call, ran }),
      keep: async next => {
        const changes = await scan();
        finishChanges(changes, next.tree);
        await this.#place(
          { work, tree: next.tree, table: noted(root, next.tree, table, pathsOf(changes)) },
          next.layers,
        );
        this.#trees.add(next);
        folders.close();
        closed = true;
      },
      close: async () => {
        if (closed) return;
        closed = true;
        try {
          // The scan of before may be older than what a process did since.
          found = undefined;
          const tree = await read({ ran: { user: { uid: 0, gid: 0 } } });
          const touched = pathsOf(await scan());
          await this.#place(await this.#move({ work, tree, table }, state.tree, { touched }), state.layers);
        } catch {
          await removeFiles(work);
        } finally {
          folders.close();
        }
      },
    };
  }

  /** The root of an earlier state that shares most layers with this one, taken for us alone; else an empty folder. */
  async #nearest({ layers }: RootState, options: CallOptions): Promise<Filled> {
    const known = (await this.#shelf.all()).map(snapshot => ({ snapshot, shared: sharedLayers(snapshot, layers) }));
    known.sort((a, b) => b.shared - a.shared || a.snapshot.layers.length - b.snapshot.layers.length);
    for (const { snapshot, shared } of known) {
      if (shared === 0) break;
      const work = await this.#options.store.workFolder();
      await removeFiles(work);
      if (!(await this.#shelf.take(snapshot, work))) continue;
      const table = StatTable.decode(await readFile(join(work, tableName)).catch(() => Buffer.alloc(0)));
      const tree = await this.#trees.get(snapshot.layers, options).catch(error => {
        if (options.signal?.aborted) throw error;
        // A layer that has been pruned: what the folder holds cannot be known any more.
        return undefined;
      });
      if (snapshot.current && table !== undefined && tree !== undefined) return { work, tree, table };
      await removeFiles(work);
    }
    return { work: await newWork(this.#options.store), tree: emptyRoot, table: new StatTable(0) };
  }

  /**
   * Changes what a folder holds into another tree; when that fails, the folder is gone. `touched`: paths of which the table
   * does not hold any more.
   */
  async #move(
    { work, tree, table }: Filled,
    after: DirectoryNode,
    { touched = new Set(), ...options }: CallOptions & { readonly touched?: ReadonlySet<string> },
  ): Promise<Filled> {
    const root = join(work, 'root');
    try {
      const entries = [...treeDifference(tree, after)];
      await writeEntries(root, entries, after, { ...options, ...this.#options });
      if (entries.length + touched.size === 0) return { work, tree: after, table };
      const changed = new Set([...touched, ...entries.map(({ path }) => path)]);
      return { work, tree: after, table: noted(root, after, table, changed) };
    } catch (error) {
      await removeFiles(work);
      throw error;
    }
  }

  async #place({ work, table }: Filled, layers: readonly LayerRef[]): Promise<void> {
    await writeFile(join(work, tableName), table.encode());
    await this.#shelf.place(work, layers, []);
  }
}

function sharedLayers({ layers }: Snapshot, wanted: readonly LayerRef[]): number {
  let count = 0;
  while (count < layers.length && layers[count]!.diffId === wanted[count]?.diffId) count++;
  return count;
}

function pathsOf(found: readonly FoundChange[]): ReadonlySet<string> {
  return new Set(found.map(({ path }) => path));
}

/** The table for a tree: what has changed is looked at, the rest is taken over. */
function noted(root: string, tree: DirectoryNode, old: StatTable, changed: ReadonlySet<string>): StatTable {
  const table = new StatTable(old.size + changed.size);
  const folders = new RootDirectory(root);
  try {
    const pending: Array<readonly [string, DirectoryNode]> = [['', tree]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [folder, { children }] = next;
      for (const [name, node] of children) {
        const path = joinPath(folder, name);
        if (changed.has(path) || !table.take(path, old)) {
          const stats = lstat(`${folders.enter(folder)}/${name}`);
          if (stats !== undefined && isA(stats, node)) table.add(path, stats);
        }
        if (node.type === 'directory') pending.push([path, node]);
      }
    }
  } finally {
    folders.close();
  }
  return table;
}

/** Something else than the tree has may be where it could not be written. */
function isA(stats: BigIntStats, { type }: TreeNode): boolean {
  if (type === 'directory') return stats.isDirectory();
  if (type === 'file') return stats.isFile();
  if (type === 'symlink') return stats.isSymbolicLink();
  if (type === 'fifo') return stats.isFIFO();
  return type === 'block' ? stats.isBlockDevice() : stats.isCharacterDevice();
}

function lstat(path: string): BigIntStats | undefined {
  try {
    return lstatSync(toHostPath(path), { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    throw ioError(error, path);
  }
}
