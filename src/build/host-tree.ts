import { type BigIntStats, lstatSync } from 'node:fs';
import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import { ioError } from '../errors/io-error.js';
import { folderNames } from '../layer/folder-names.js';
import { deviceNumbers, identityOf, linkTarget, wholeSeconds } from '../layer/host-stats.js';
import { LazyDirectory } from '../tree/lazy-directory.js';
import { MappedChildren } from '../tree/mapped-children.js';
import type { DirectoryNode, FileNode, HostIdentity, Metadata, TreeNode } from '../tree/node.js';
import { joinPath, toHostPath } from '../tree/path.js';
import { IdentityColumns } from './identity-columns.js';

export interface HostTreeOptions {
  /** What it hides is not there; a hidden folder is there when something below it is not hidden. */
  readonly ignore?: IgnoreMatcher | undefined;
  /**
   * The folder has been written by git: everything gets this time, in seconds since 1970, and modes in which group and
   * others may do what the owner may, but for writing. What the files have depends on the clock and the folders around.
   */
  readonly checkoutTime?: number | undefined;
}

/**
 * A folder of this machine as a tree. Folders are listed when they are first looked into, so a build touches only what
 * its COPY instructions reach. Everything belongs to root, as in BuildKit's contexts; files with several names are one
 * node.
 * @throws LadingError IO, on access, for what cannot be listed
 */
export function hostTree(path: string, { ignore, checkoutTime }: HostTreeOptions = {}): DirectoryNode {
  return directory(path, '', lstat(path, 'follow'), { ignore, checkoutTime, links: new Map() });
}

interface Walk extends HostTreeOptions {
  /** Nodes of files with more than one name, by device and inode. */
  readonly links: Map<string, FileNode>;
}

function directory(host: string, path: string, stats: BigIntStats, walk: Walk): DirectoryNode {
  return new LazyDirectory(metadataOf(stats, walk), () => list(host, path, walk));
}

/** Of files with one name, which most are, only the columns are kept. */
function list(host: string, path: string, walk: Walk): ReadonlyMap<string, TreeNode> {
  const listed = names(host);
  const files = new IdentityColumns(listed.length);
  const children = new Map<string, TreeNode | number>();
  for (const name of listed) {
    const child = childOf(host, name, joinPath(path, name), files, walk);
    if (child !== undefined) children.set(name, child);
  }
  return new MappedChildren(children, (child, name) =>
    typeof child === 'number' ? fileNode(`${host}/${name}`, files.get(child), true, walk) : child,
  );
}

/** The node, or the row of a file with one name. */
function childOf(
  folder: string,
  name: string,
  path: string,
  files: IdentityColumns,
  walk: Walk,
): TreeNode | number | undefined {
  const { ignore, links } = walk;
  const hidden = ignore?.ignores(path) ?? false;
  if (hidden && ignore!.canPrune(path)) return undefined;
  const host = `${folder}/${name}`;
  const stats = lstat(host, 'nofollow');
  if (stats.isDirectory()) {
    const child = directory(host, path, stats, walk);
    return hidden && child.children.size === 0 ? undefined : child;
  }
  if (hidden) return undefined;
  if (!stats.isFile()) return special(host, stats, walk);
  if (stats.nlink === 1n) return files.add(stats);
  const key = `${stats.dev}:${stats.ino}`;
  const node = links.get(key) ?? fileNode(host, identityOf(stats), false, walk);
  links.set(key, node);
  return node;
}

function fileNode(path: string, identity: HostIdentity, single: boolean, walk: Walk): FileNode {
  const { mode, uid, gid, mtime } = metadataOf(identity, walk);
  const content = { kind: 'host', path, identity } as const;
  return { type: 'file', mode, uid, gid, mtime, size: Number(identity.size), content, single };
}

function special(host: string, stats: BigIntStats, walk: Walk): TreeNode {
  const metadata = metadataOf(stats, walk);
  if (stats.isSymbolicLink()) return { type: 'symlink', ...metadata, mode: 0o777, target: readLink(host) };
  if (stats.isFIFO()) return { type: 'fifo', ...metadata };
  if (stats.isSocket()) {
    // A socket has no content to copy: like BuildKit, an empty file stands for it.
    return { type: 'file', ...metadata, size: 0, content: { kind: 'bytes', bytes: new Uint8Array() } };
  }
  return { type: stats.isBlockDevice() ? 'block' : 'character', ...metadata, ...deviceNumbers(stats.rdev) };
}

function metadataOf(stats: { mode: bigint | number; mtimeNs: bigint }, { checkoutTime }: Walk): Metadata {
  const mode = Number(stats.mode) & 0o7777;
  if (checkoutTime === undefined) return { mode, uid: 0, gid: 0, mtime: wholeSeconds(stats.mtimeNs) };
  const owner = (mode >> 6) & 7;
  return { mode: (owner << 6) | ((owner & 5) * 0o11), uid: 0, gid: 0, mtime: checkoutTime };
}

function lstat(path: string, links: 'follow' | 'nofollow'): BigIntStats {
  try {
    return lstatSync(toHostPath(links === 'follow' ? `${path}/.` : path), { bigint: true });
  } catch (error) {
    throw ioError(error, path);
  }
}

function names(path: string): string[] {
  try {
    return folderNames(path);
  } catch (error) {
    throw ioError(error, path);
  }
}

function readLink(path: string): string {
  try {
    return linkTarget(path);
  } catch (error) {
    throw ioError(error, path);
  }
}
