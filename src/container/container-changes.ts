import { diffTrees } from '../layer/diff.js';
import { lookup } from '../tree/lookup.js';
import type { DirectoryNode } from '../tree/node.js';

/** `A`dded, `C`hanged or `D`eleted. */
export interface ContainerChange {
  readonly kind: 'A' | 'C' | 'D';
  /** Absolute. */
  readonly path: string;
}

/** What is not as in the image, in the order of a layer. */
export function* containerChanges(before: DirectoryNode, after: DirectoryNode): Generator<ContainerChange> {
  for (const entry of diffTrees(before, after)) {
    if (entry.path === '') continue;
    const path = `/${entry.path}`;
    if ('whiteout' in entry) yield { kind: 'D', path };
    else yield { kind: lookup(before, entry.path, { follow: false }) === undefined ? 'A' : 'C', path };
  }
}
