import { treeOfLayers } from '../layer/tree-of-layers.js';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';
import { chainId } from './chain-id.js';
import type { RootStore } from './root-store.js';

/** States that the next ones are likely to stand on. */
const limit = 8;

/** The trees of layers. Those that were seen lately are the very same: what two of them share need not be compared. */
export class KnownTrees {
  readonly #store: Pick<RootStore, 'layerIndex'>;
  /** The newest last. */
  readonly #trees = new Map<Digest, DirectoryNode>();

  constructor(store: Pick<RootStore, 'layerIndex'>) {
    this.#store = store;
  }

  add({ layers, tree }: { readonly layers: readonly LayerRef[]; readonly tree: DirectoryNode }): void {
    const chain = chainId(layers);
    this.#trees.delete(chain);
    this.#trees.set(chain, tree);
    if (this.#trees.size > limit) this.#trees.delete(this.#trees.keys().next().value!);
  }

  async get(layers: readonly LayerRef[], options: CallOptions): Promise<DirectoryNode> {
    return this.#trees.get(chainId(layers)) ?? (await treeOfLayers(layers, this.#store, options));
  }
}
