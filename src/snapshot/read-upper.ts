import { type BigIntStats, lstatSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { folderNames } from '../layer/folder-names.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode, TreeNode } from '../tree/node.js';
import { joinPath, toHostPath } from '../tree/path.js';
import { getfattrMissing, readAttributes } from './file-attributes.js';
import type { FoundChange, FoundFile } from './found-change.js';

/** `trusted.` where root of the machine mounts, `user.` in user namespaces. */
const overlayAttributes = /^(trusted|user)\.overlay\.(opaque|redirect|metacopy)$/;

/**
 * What an upper folder of overlayfs has changed of the tree below it, as the kernel left it: devices 0/0 where something
 * is gone, an attribute on folders that hide what is below.
 * @throws LadingError IO, PROGRAM_MISSING, UNSUPPORTED for a mount that has moved folders instead of copying them
 */
export async function readUpper(
  upper: string,
  before: DirectoryNode,
  { signal }: CallOptions = {},
): Promise<FoundChange[]> {
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
    for (const name of names(host)) {
      const child = { path: joinPath(path, name), host: `${host}/${name}`, was: children?.get(name) };
      const stats = lstat(child.host);
      if (stats.isCharacterDevice() && stats.rdev === 0n) {
        found.push({ path: child.path, gone: true });
        continue;
      }
      found.push({ path: child.path, stats, host: child.host });
      if (!stats.isDirectory()) continue;
      if (child.was?.type === 'directory') merged.set(child.path, found.length - 1);
      pending.push(child);
    }
  }
  const attributes = await readAttributes(upper, [...merged.keys()], overlayAttributes);
  if (attributes === undefined) throw getfattrMissing();
  for (const [path, values] of attributes) {
    for (const [name, value] of values) {
      if (!name.endsWith('.opaque')) {
        throw new LadingError('UNSUPPORTED', `/${path.toWellFormed()}: the overlay was mounted with redirects`, {
          details: { feature: name },
        });
      }
      const place = merged.get(path);
      if (value !== 'y' || place === undefined) continue;
      found[place] = { ...(found[place] as FoundFile), opaque: true };
    }
  }
  return found;
}

function names(folder: string): string[] {
  try {
    return folderNames(folder);
  } catch (error) {
    throw ioError(error, folder);
  }
}

function lstat(path: string): BigIntStats {
  try {
    return lstatSync(toHostPath(path), { bigint: true });
  } catch (error) {
    throw ioError(error, path);
  }
}
