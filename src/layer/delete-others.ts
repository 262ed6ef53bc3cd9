import { lstatSync, rmSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { ioError } from '../errors/io-error.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode } from '../tree/node.js';
import { joinPath, toHostPath } from '../tree/path.js';
import { folderNames } from './folder-names.js';
import { RootDirectory } from './root-directory.js';

/**
 * Deletes what is below `root` and not in the tree. A link is deleted, never what it points to; a folder where the tree
 * has something else stays for whoever writes the tree.
 * @throws LadingError IO, PATH_INVALID for a folder that becomes something else meanwhile
 */
export async function deleteOthers(root: string, tree: DirectoryNode, options: CallOptions = {}): Promise<void> {
  if (lstatSync(root, { throwIfNoEntry: false }) === undefined) return;
  const folders = new RootDirectory(root);
  try {
    const pending: Array<readonly [path: string, node: DirectoryNode]> = [['', tree]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      await setImmediate();
      options.signal?.throwIfAborted();
      const [path, { children }] = next;
      const folder = folders.enter(path);
      for (const name of folderNames(folder)) {
        const child = children.get(name);
        const host = toHostPath(`${folder}/${name}`);
        if (child === undefined) rmSync(host, { recursive: true, force: true });
        else if (child.type === 'directory' && lstatSync(host, { throwIfNoEntry: false })?.isDirectory()) {
          pending.push([joinPath(path, name), child]);
        }
      }
    }
  } catch (error) {
    throw options.signal?.aborted ? options.signal.reason : ioError(error, root);
  } finally {
    folders.close();
  }
}
