import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import { ioError } from '../errors/io-error.js';
import { folderNames } from '../layer/folder-names.js';
import type { DirectoryNode, FileNode, HostIdentity, TreeNode } from '../tree/node.js';
import { decodePath, joinPath, toHostPath } from '../tree/path.js';

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
  return new HostDirectory(path, '', lstat(path, 'follow'), { ignore, checkoutTime, links: new Map() });
}

export function identityOf(stats: BigIntStats): HostIdentity {
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  return { dev, ino, size, mtimeNs, ctimeNs, mode: Number(stats.mode) };
}

interface Walk extends HostTreeOptions {
  /** Nodes of files with more than one name, by device and inode. */
  readonly links: Map<string, FileNode>;
}

class HostDirectory implements DirectoryNode {
  readonly type = 'directory';
  readonly mode: number;
  readonly uid = 0;
  readonly gid = 0;
  readonly mtime: number;
  readonly #host: string;
  readonly #path: string;
  readonly #walk: Walk;
  #children: ReadonlyMap<string, TreeNode> | undefined;

  constructor(host: string, path: string, stats: BigIntStats, walk: Walk) {
    const { mode, mtime } = metadataOf(stats, walk);
    this.mode = mode;
    this.mtime = mtime;
    this.#host = host;
    this.#path = path;
    this.#walk = walk;
  }

  get children(): ReadonlyMap<string, TreeNode> {
    this.#children ??= this.#list();
    return this.#children;
  }

  #list(): ReadonlyMap<string, TreeNode> {
    const children = new Map<string, TreeNode>();
    for (const name of names(this.#host)) {
      const node = this.#child(name);
      if (node !== undefined) children.set(name, node);
    }
    return children;
  }

  #child(name: string): TreeNode | undefined {
    const host = `${this.#host}/${name}`;
    const path = joinPath(this.#path, name);
    const ignore = this.#walk.ignore;
    const hidden = ignore?.ignores(path) ?? false;
    if (hidden && ignore!.canPrune(path)) return undefined;
    const stats = lstat(host, 'nofollow');
    if (stats.isDirectory()) {
      const directory = new HostDirectory(host, path, stats, this.#walk);
      return hidden && directory.children.size === 0 ? undefined : directory;
    }
    return hidden ? undefined : leaf(host, stats, this.#walk);
  }
}

function leaf(host: string, stats: BigIntStats, walk: Walk): TreeNode {
  const { links } = walk;
  const metadata = { ...metadataOf(stats, walk), uid: 0, gid: 0 };
  if (stats.isSymbolicLink()) return { type: 'symlink', ...metadata, mode: 0o777, target: linkTarget(host) };
  if (stats.isFIFO()) return { type: 'fifo', ...metadata };
  if (stats.isCharacterDevice() || stats.isBlockDevice()) {
    const type = stats.isBlockDevice() ? 'block' : 'character';
    return { type, ...metadata, ...deviceNumbers(stats.rdev) };
  }
  // A socket has no content to copy: like BuildKit, an empty file stands for it.
  if (stats.isSocket())
    return { type: 'file', ...metadata, size: 0, content: { kind: 'bytes', bytes: new Uint8Array() } };
  const key = `${stats.dev}:${stats.ino}`;
  const known = stats.nlink > 1n ? links.get(key) : undefined;
  if (known !== undefined) return known;
  const content = { kind: 'host', path: host, identity: identityOf(stats) } as const;
  const file: FileNode = { type: 'file', ...metadata, size: Number(stats.size), content };
  if (stats.nlink > 1n) links.set(key, file);
  return file;
}

function metadataOf(stats: BigIntStats, { checkoutTime }: Walk): { mode: number; mtime: number } {
  const mode = permissions(stats);
  if (checkoutTime === undefined) return { mode, mtime: seconds(stats) };
  const owner = (mode >> 6) & 7;
  return { mode: (owner << 6) | ((owner & 5) * 0o11), mtime: checkoutTime };
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

function linkTarget(path: string): string {
  try {
    return decodePath(readlinkSync(toHostPath(path), { encoding: 'buffer' }));
  } catch (error) {
    throw ioError(error, path);
  }
}

function permissions(stats: BigIntStats): number {
  return Number(stats.mode) & 0o7777;
}

/** Whole seconds, rounded down before 1970 too. */
function seconds(stats: BigIntStats): number {
  return Number(
    (stats.mtimeNs - (((stats.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n,
  );
}

/** Linux's encoding of `dev_t`. */
function deviceNumbers(rdev: bigint): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  };
}
