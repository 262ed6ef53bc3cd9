import type { CallOptions } from '../stream/bytes.js';
import { applyLayer } from '../tree/apply-layer.js';
import { emptyDirectory } from '../tree/editor.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';
import type { LayerStore } from './layer-store.js';

/** The root of every image before its first layer. */
export const emptyRoot: DirectoryNode = emptyDirectory();

export interface TreeOfLayersOptions extends CallOptions {
  readonly root?: DirectoryNode | undefined;
  /** See `applyLayer`. */
  readonly exact?: boolean | undefined;
}

/** The files of layers, one on another from `root` on, known from their indexes. Nothing is unpacked. */
export async function treeOfLayers(
  layers: readonly LayerRef[],
  store: Pick<LayerStore, 'layerIndex'>,
  { root = emptyRoot, exact, ...options }: TreeOfLayersOptions = {},
): Promise<DirectoryNode> {
  let tree = root;
  for (const layer of layers) tree = applyLayer(tree, await store.layerIndex(layer, options), layer, exact);
  return tree;
}
