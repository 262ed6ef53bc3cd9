import { treeOfLayers } from '../layer/tree-of-layers.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode } from '../tree/node.js';
import type { Container } from './container.js';

/** The files of a container as its last process has left them. */
export async function containerTree(
  store: Store,
  { layers }: Pick<Container, 'layers'>,
  options: CallOptions = {},
): Promise<DirectoryNode> {
  return await treeOfLayers(layers, store, options);
}

/** The files that it began with. */
export async function imageTree(
  store: Store,
  { layers, imageLayers }: Pick<Container, 'layers' | 'imageLayers'>,
  options: CallOptions = {},
): Promise<DirectoryNode> {
  return await treeOfLayers(layers.slice(0, imageLayers), store, options);
}
