import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { ioError } from '../../errors/io-error.js';
import type { RootFileSystem } from '../../sandbox/sandbox.js';
import type { DirectoryNode } from '../../tree/node.js';

/** Where a process finds the kernel's file systems. */
const names = ['dev', 'proc', 'sys'];

/**
 * Makes the folders that every process needs, where the image has none. As with Docker they stay in the layer, which is the
 * same for all ways of running a process: it is no matter of theirs.
 */
export function makeSystemFolders(root: RootFileSystem, tree: DirectoryNode, time: number): void {
  const folder = root.kind === 'overlay' ? root.upper : root.path;
  for (const name of names.filter(each => !tree.children.has(each))) {
    const path = join(folder, name);
    try {
      if (existsSync(path)) continue;
      mkdirSync(path, { mode: 0o755 });
      utimesSync(path, time, time);
    } catch (error) {
      throw ioError(error, path);
    }
  }
}
