import { emptyRoot } from '../layer/tree-of-layers.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { DirectoryRoots } from './directory-roots.js';
import { OverlayRoots } from './overlay-roots.js';
import type { RootStore } from './root-store.js';
import type { Roots } from './roots.js';
import { writeTree } from './write-tree.js';

export interface RootsOptions {
  /** Where layers are, and where roots are kept between builds. Whoever uses them holds a lease. */
  readonly store: RootStore;
  /** What the roots are for. */
  readonly sandbox: Pick<Sandbox, 'roots' | 'owners'>;
}

/** Roots for a sandbox, of the kind that it can use. */
export function createRoots({ store, sandbox }: RootsOptions): Roots {
  const { owners } = sandbox;
  const roots =
    sandbox.roots === 'overlay' ? new OverlayRoots({ store, owners }) : new DirectoryRoots({ store, owners });
  return {
    open: (state, options) => roots.open(state, options),
    materialise: (tree, folder, options) => writeTree(folder, emptyRoot, tree, { ...options, store, owners }),
  };
}
