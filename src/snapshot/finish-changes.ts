import { lutimesSync, rmSync } from 'node:fs';
import { ioError } from '../errors/io-error.js';
import { hostTime } from '../layer/host-time.js';
import { TreeEditor } from '../tree/editor.js';
import type { DirectoryNode } from '../tree/node.js';
import { toHostPath } from '../tree/path.js';
import { type FoundChange, isPresent } from './found-change.js';

/**
 * Makes what was found on the disk say what the tree that was made of it says, so that a process sees the same whether it
 * runs in this root or in one that is made of the layers anew: times are whole seconds, and clamped; sockets are gone.
 */
export function finishChanges(found: readonly FoundChange[], tree: DirectoryNode): void {
  const nodes = new TreeEditor(tree);
  const present = found.filter(isPresent);
  for (const { host, stats } of present) if (stats.isSocket()) rmSync(toHostPath(host), { force: true });
  for (const { path, host, stats } of present) {
    const node = nodes.get(path);
    if (node === undefined || stats.isSocket() || BigInt(node.mtime) * 1_000_000_000n === stats.mtimeNs) continue;
    try {
      lutimesSync(toHostPath(host), hostTime(node.mtime), hostTime(node.mtime));
    } catch (error) {
      throw ioError(error, host);
    }
  }
}
