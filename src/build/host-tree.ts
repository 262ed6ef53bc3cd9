import { type BigIntStats, constants, lstatSync } from 'node:fs';
import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import { ioError } from '../errors/io-error.js';
import { deviceNumbers } from '../layer/host-stats.js';
import {
  type HostIdentity,
  hostIdentity,
  identityNumbers,
  identitySize,
  identityTime,
  identityWords,
  modeAt,
} from '../tree/host-identity.js';
import { LazyDirectory } from '../tree/lazy-directory.js';
import { isSingleFile, ListedChildren } from '../tree/listed-children.js';
import type { DirectoryNode, FileNode, Metadata, TreeNode } from '../tree/node.js';
import { joinPath, toHostPath } from '../tree/path.js';
import { FolderLister, type FolderListing, identityAt, kindAt, namesOf } from './folder-lister.js';

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
  return listedTree(new FolderLister(path, ignore), { checkoutTime });
}

/** The tree of what a lister lists. */
export function listedTree(
  lister: FolderLister,
  { checkoutTime }: Pick<HostTreeOptions, 'checkoutTime'> = {},
): DirectoryNode {
  const walk = { lister, checkoutTime, links: new Map() };
  return directory('', hostIdentity(stat(lister.host)), walk);
}

interface Walk extends Pick<HostTreeOptions, 'checkoutTime'> {
  readonly lister: FolderLister;
  /** Nodes of files with more than one name, by device and inode. */
  readonly links: Map<string, FileNode>;
}

function directory(path: string, identity: HostIdentity, walk: Walk): DirectoryNode {
  return new LazyDirectory(metadataOf(identity, walk), () => childrenOf(path, walk));
}

function childrenOf(path: string, walk: Walk): ReadonlyMap<string, TreeNode> {
  const listing = walk.lister.listing(path);
  const { rows, settledFrom } = listing;
  const host = walk.lister.hostPath(path);
  const names = namesOf(listing);
  const others = new Map<string, TreeNode>();
  for (let row = 0; row < names.length; row++) {
    if (!isSingleFile(rows, row * identityWords))
      others.set(names[row]!, childOf(path, names[row]!, row, listing, walk));
  }
  const making = `checkout ${walk.checkoutTime}`;
  const fileOf = (identity: HostIdentity, name: string): FileNode => fileNode(`${host}/${name}`, identity, true, walk);
  return new ListedChildren({ names, rows, settledFrom, making }, others, fileOf);
}

/** The node of what is not a file with one name. */
function childOf(folder: string, name: string, row: number, listing: FolderListing, walk: Walk): TreeNode {
  const path = joinPath(folder, name);
  const identity = identityAt(listing, row);
  const kind = kindAt(listing, row);
  if (kind === constants.S_IFDIR) return directory(path, identity, walk);
  const metadata = metadataOf(identity, walk);
  switch (kind) {
    case constants.S_IFREG: {
      const { dev, ino } = identityNumbers(identity);
      const key = `${dev}:${ino}`;
      const node = walk.links.get(key) ?? fileNode(walk.lister.hostPath(path), identity, false, walk);
      walk.links.set(key, node);
      return node;
    }
    case constants.S_IFLNK:
      return { type: 'symlink', ...metadata, mode: 0o777, target: listing.targets.get(row)! };
    case constants.S_IFIFO:
      return { type: 'fifo', ...metadata };
    case constants.S_IFSOCK:
      // A socket has no content to copy: like BuildKit, an empty file stands for it.
      return { type: 'file', ...metadata, size: 0, content: { kind: 'bytes', bytes: new Uint8Array() } };
    default: {
      const type = kind === constants.S_IFBLK ? 'block' : 'character';
      return { type, ...metadata, ...deviceNumbers(identityNumbers(identity).size) };
    }
  }
}

function fileNode(path: string, identity: HostIdentity, single: boolean, walk: Walk): FileNode {
  const { mode, uid, gid, mtime, mtimeNanoseconds } = metadataOf(identity, walk);
  const content = { kind: 'host', path, identity } as const;
  return { type: 'file', mode, uid, gid, mtime, mtimeNanoseconds, size: identitySize(identity), content, single };
}

function metadataOf(identity: HostIdentity, { checkoutTime }: Walk): Metadata {
  const mode = modeAt(identity.words, identity.at) & 0o7777;
  if (checkoutTime === undefined) {
    const { mtime, mtimeNanoseconds } = identityTime(identity);
    return { mode, uid: 0, gid: 0, mtime, mtimeNanoseconds };
  }
  const owner = (mode >> 6) & 7;
  return { mode: (owner << 6) | ((owner & 5) * 0o11), uid: 0, gid: 0, mtime: checkoutTime };
}

/** Of the folder itself, links followed. */
function stat(path: string): BigIntStats {
  try {
    return lstatSync(toHostPath(`${path}/.`), { bigint: true });
  } catch (error) {
    throw ioError(error, path);
  }
}
