import { setImmediate } from 'node:timers/promises';
import { LadingError } from '../errors/errors.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode, TreeNode } from '../tree/node.js';
import { joinPath } from '../tree/path.js';
import {
  capabilitiesIn,
  capability,
  type FoundAttributes,
  type ProgramEnvironment,
  readAttributes,
} from './file-attributes.js';
import type { FoundChange, FoundFile } from './found-change.js';
import type { WalkedFolders } from './walked-folders.js';

/** Of the overlay `trusted.` where root of the machine mounts, `user.` in user namespaces. */
const wanted = /^((trusted|user)\.overlay\.(opaque|redirect|metacopy)|security\.capability)$/;

export interface UpperChanges {
  readonly changes: readonly FoundChange[];
  /** Of files. */
  readonly capabilities: ReadonlyMap<string, string>;
}

/**
 * What an upper folder of overlayfs has changed of the tree below it, as the kernel left it: devices 0/0 where something
 * is gone, an attribute on folders that hide what is below.
 * @throws LadingError IO, PROGRAM_MISSING, UNSUPPORTED for a mount that has moved folders instead of copying them
 */
export async function readUpper(
  upper: string,
  before: DirectoryNode,
  folders: WalkedFolders,
  { env, signal }: CallOptions & { readonly env: ProgramEnvironment | undefined },
): Promise<UpperChanges> {
  const found: FoundChange[] = [];
  /** Folders that were folders before: only these can hide anything. */
  const merged = new Map<string, number>();
  const pending: Array<{ path: string; host: string; was: TreeNode | undefined }> = [
    { path: '', host: upper, was: before },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path, host, was } = next;
    await setImmediate();
    signal?.throwIfAborted();
    const children = was?.type === 'directory' ? was.children : undefined;
    for (const name of folders.names(host)) {
      const child = { path: joinPath(path, name), host: `${host}/${name}`, was: children?.get(name) };
      const file = folders.look(child.path, child.host);
      const { stats } = file;
      if (stats.isCharacterDevice() && stats.rdev === 0n) {
        found.push({ path: child.path, gone: true });
        continue;
      }
      found.push(file);
      if (!stats.isDirectory()) continue;
      if (child.was?.type === 'directory') merged.set(child.path, found.length - 1);
      pending.push({ ...child, host: folders.enter(child.host) });
    }
  }
  // Behind the walk, which has made readable what was not.
  const attributes: FoundAttributes = found.length === 0 ? new Map() : await readAttributes(upper, 'all', wanted, env);
  for (const [path, place] of merged) {
    for (const [name, value] of attributes.get(path) ?? []) {
      if (name === capability) continue;
      if (!name.endsWith('.opaque')) {
        throw new LadingError('UNSUPPORTED', `/${path.toWellFormed()}: the overlay was mounted with redirects`, {
          details: { feature: name },
        });
      }
      if (value === 'y') found[place] = { ...(found[place] as FoundFile), opaque: true };
    }
  }
  return { changes: folders.settled(found), capabilities: capabilitiesIn(attributes) };
}
