import type { DirectoryNode } from '../tree/node.js';

/** A tree that is put together when it is first asked for: the last layer of most images is never looked into. */
export type LazyTree = () => Promise<DirectoryNode>;
