import { diffTrees } from '../../src/layer/diff.js';
import { emptyRoot, treeOfLayers } from '../../src/layer/tree-of-layers.js';
import type { FileOwner, RootFileSystem } from '../../src/sandbox/sandbox.js';
import type { RanProcess, RootState, Roots } from '../../src/snapshot/roots.js';
import type { Store } from '../../src/store/store.js';
import type { DirectoryNode } from '../../src/tree/node.js';

export const epoch = 946_684_800;
export const clamp = (mtime: number): number => Math.min(mtime, epoch);

/** A state of one layer with these files, as that of a base image. */
export async function baseState(store: Store, tree: DirectoryNode): Promise<RootState> {
  const { layer } = await store.packLayer(diffTrees(emptyRoot, tree), {});
  return { layers: [layer], baseLayers: 1, tree: await treeOfLayers([layer], store) };
}

/** The state with a layer on top that makes the tree of it, as COPY does. */
export async function copied(store: Store, state: RootState, tree: DirectoryNode): Promise<RootState> {
  const { layer } = await store.packLayer(diffTrees(state.tree, tree), {});
  return {
    ...state,
    layers: [...state.layers, layer],
    tree: await treeOfLayers([layer], store, { root: state.tree }),
  };
}

export interface Stepped {
  readonly state: RootState;
  /** Paths of the layer, those of whiteouts with a minus. */
  readonly changed: readonly string[];
}

/** Runs something on a state, as a build does. */
export async function stepped(
  store: Store,
  roots: Roots,
  state: RootState,
  run: (root: RootFileSystem) => Promise<void>,
  ran: Partial<RanProcess> & { readonly user?: FileOwner } = {},
): Promise<Stepped> {
  const root = await roots.open(state);
  try {
    await run(root.root);
    const after = await root.changes({ user: { uid: 0, gid: 0 }, ...ran }, { clamp });
    const next = await copied(store, state, after);
    const entries = [...diffTrees(state.tree, after)];
    await root.keep(next);
    return { state: next, changed: entries.map(entry => ('whiteout' in entry ? `- ${entry.path}` : entry.path)) };
  } finally {
    await root.close();
  }
}
