import { emptyRoot } from '../layer/tree-of-layers.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { DirectoryRoots } from './directory-roots.js';
import type { ProgramEnvironment } from './file-attributes.js';
import { OverlayRoots } from './overlay-roots.js';
import type { RootStore } from './root-store.js';
import type { Roots } from './roots.js';
import { writeTree } from './write-tree.js';

export interface RootsOptions {
  /** Where layers are, and where roots are kept between builds. Whoever uses them holds a lease. */
  readonly store: RootStore;
  /** What the roots are for. */
  readonly sandbox: Pick<Sandbox, 'roots' | 'owners'>;
  /** The environment of the programs that read and write what Node cannot; by default that of this process. */
  readonly env?: ProgramEnvironment | undefined;
}

/** Roots for a sandbox, of the kind that it can use. */
export function createRoots({ store, sandbox, env }: RootsOptions): Roots {
  const { owners } = sandbox;
  const options = { store, owners, env };
  const roots = sandbox.roots === 'overlay' ? new OverlayRoots(options) : new DirectoryRoots(options);
  return {
    open: (state, call) => roots.open(state, call),
    reopen: (state, folder) => roots.reopen(state, folder),
    materialise: (tree, folder, call) => writeTree(folder, emptyRoot, tree, { ...call, ...options }),
  };
}
