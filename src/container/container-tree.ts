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

/**
 * The files that it began with, and those that its last process has left, made of them: what no layer of its own has
 * changed is one node in both.
 */
export async function containerTrees(
  store: Store,
  { layers, imageLayers }: Pick<Container, 'layers' | 'imageLayers'>,
  options: CallOptions = {},
): Promise<{ readonly before: DirectoryNode; readonly after: DirectoryNode }> {
  const before = await treeOfLayers(layers.slice(0, imageLayers), store, options);
  const after = await treeOfLayers(layers.slice(imageLayers), store, { ...options, root: before });
  return { before, after };
}
