import type { HostFile } from '../layer/hash-files.js';
import { deviceNumbers, linkTarget, wholeSeconds } from '../layer/host-stats.js';
import type { Digest } from '../oci/digest.js';
import type { FileOwner } from '../sandbox/sandbox.js';
import type { CallOptions } from '../stream/bytes.js';
import { emptyDirectory, TreeEditor, withMetadata } from '../tree/editor.js';
import { hostIdentity } from '../tree/host-identity.js';
import type { DirectoryNode, FileNode, Metadata, TreeNode } from '../tree/node.js';
import { capability } from './file-attributes.js';
import { type FoundChange, type FoundFile, isPresent } from './found-change.js';
import { foundOwners } from './found-owners.js';
import { loosened } from './loosened.js';
import type { ChangesOptions, RanProcess } from './roots.js';

export interface ReadChangesOptions extends ChangesOptions {
  /** `kept`: what `stat` says is true. `recorded`: all files belong to one uid, and what they should is known otherwise. */
  readonly owners: 'kept' | 'recorded';
  readonly ran: RanProcess;
  /**
   * Values of `security.capability` of files, by their path in the tree. `unknown` where files on the disk can have none: they
   * are what they were for as long as the content is, as the kernel has it.
   */
  readonly capabilities: ReadonlyMap<string, string> | 'unknown';
  readonly hashFiles: (files: readonly HostFile[], options?: CallOptions) => Promise<Digest[]>;
}

/** A file of the disk, under all the names that were found of it. */
interface FoundInode {
  readonly names: FoundFile[];
  readonly metadata: Metadata;
  /** What the tree has under the first name that it has a file under. */
  readonly was: FileNode | undefined;
  /** Whether it is the same under all names, as far as metadata tell. */
  readonly same: boolean;
}

/**
 * The tree with what was found on the disk: a file whose metadata and content are what they were keeps its node, names of
 * one file become one node, sockets are nothing, as in every layer.
 */
export async function changedTree(
  before: DirectoryNode,
  found: readonly FoundChange[],
  options: ReadChangesOptions,
): Promise<DirectoryNode> {
  const { clamp = mtime => mtime } = options;
  const old = new TreeEditor(before);
  const editor = new TreeEditor(before);
  const owner = foundOwners(old, found, options);
  const files = await unchangedFiles(foundFiles(old, found, owner, options), options);
  for (const change of found) {
    const { path } = change;
    if (!isPresent(change) || change.stats.isSocket()) {
      editor.remove(path);
      continue;
    }
    const was = old.get(path);
    const file = files.get(change);
    if (file !== undefined) {
      editor.set(path, file);
      continue;
    }
    const metadata = metadataOf(change, was, owner(path), options);
    const same = was !== undefined && sameMetadata(was, metadata);
    const kept = same ? was : { ...metadata, mtime: clamp(metadata.mtime) };
    if (change.stats.isDirectory()) {
      const now = editor.get(path);
      if (now?.type !== 'directory' || change.opaque) editor.set(path, emptyDirectory(pick(kept)));
      else if (!same) editor.set(path, withMetadata(now, kept));
    } else {
      const node = specialNode(change, pick(kept));
      if (!same || !sameSpecial(was, node)) editor.set(path, node);
    }
  }
  return editor.root;
}

/** Regular files by inode, with what of them can be told without reading. */
function foundFiles(
  old: TreeEditor,
  found: readonly FoundChange[],
  owner: (path: string) => FileOwner,
  options: ReadChangesOptions,
): readonly FoundInode[] {
  const linked = new Map<string, FoundFile[]>();
  const groups: FoundFile[][] = [];
  for (const change of found) {
    if (!isPresent(change) || !change.stats.isFile()) continue;
    const { dev, ino, nlink } = change.stats;
    const key = `${dev}:${ino}`;
    const group = nlink > 1n ? linked.get(key) : undefined;
    if (group !== undefined) {
      group.push(change);
      continue;
    }
    const names = [change];
    groups.push(names);
    if (nlink > 1n) linked.set(key, names);
  }
  return groups.map(names => {
    const known = names.find(({ path }) => old.get(path)?.type === 'file') ?? names[0]!;
    const was = old.get(known.path);
    const metadata = metadataOf(known, was, owner(known.path), options);
    const same =
      was?.type === 'file' && sameMetadata(was, metadata) && names.every(({ path }) => old.get(path) === was);
    return { names, metadata, was: was?.type === 'file' ? was : undefined, same };
  });
}

/** The node of every name: the one of before for what has not changed, which takes reading where metadata cannot tell. */
async function unchangedFiles(
  files: readonly FoundInode[],
  { clamp = mtime => mtime, capabilities, hashFiles, signal }: ReadChangesOptions,
): Promise<ReadonlyMap<FoundChange, FileNode>> {
  const inodes = files.map(file => {
    const { names, metadata, was, same } = file;
    const { host, stats } = names[0]!;
    const node: FileNode & HostFile = {
      type: 'file',
      ...metadata,
      mtime: clamp(metadata.mtime),
      size: Number(stats.size),
      content: { kind: 'host', path: host, identity: hostIdentity(stats) },
      single: names.length === 1,
    };
    const guessed = capabilities === 'unknown' && metadata.xattrs !== undefined;
    const sameSize = was?.digest !== undefined && was.size === node.size;
    return { ...file, node, guessed, read: sameSize && (same || guessed) };
  });
  const read = inodes.filter(inode => inode.read);
  const digests = await hashFiles(
    read.map(({ node }) => node),
    { signal },
  );
  const unchanged = new Set(read.filter(({ was }, i) => digests[i] === was!.digest));
  const nodes = new Map<FoundChange, FileNode>();
  for (const inode of inodes) {
    const { names, node, was, same, guessed } = inode;
    const sameContent = unchanged.has(inode);
    const now = same && sameContent ? was! : guessed && !sameContent ? { ...node, xattrs: undefined } : node;
    for (const name of names) nodes.set(name, now);
  }
  return nodes;
}

function metadataOf(
  file: FoundFile,
  was: TreeNode | undefined,
  { uid, gid }: FileOwner,
  { owners, capabilities }: ReadChangesOptions,
): Metadata {
  const { path, stats } = file;
  const mtime = wholeSeconds(stats.mtimeNs);
  const value = capabilities === 'unknown' ? was?.xattrs?.[capability] : capabilities.get(path);
  const xattrs = value === undefined ? undefined : { [capability]: value };
  return { mode: modeOf(file, was, owners), uid, gid, mtime, xattrs };
}

function modeOf(file: FoundFile, was: TreeNode | undefined, owners: 'kept' | 'recorded'): number {
  const { stats } = file;
  if (stats.isSymbolicLink()) return 0o777;
  const mode = (file.mode ?? Number(stats.mode)) & 0o7777;
  if (owners === 'kept' || was === undefined) return mode;
  const type = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'other';
  return was.type === type && loosened(was.mode, type) === mode ? was.mode : mode;
}

function specialNode({ host, stats }: FoundFile, metadata: Metadata): TreeNode {
  if (stats.isSymbolicLink()) return { type: 'symlink', ...metadata, target: linkTarget(host) };
  if (stats.isFIFO()) return { type: 'fifo', ...metadata };
  return { type: stats.isBlockDevice() ? 'block' : 'character', ...metadata, ...deviceNumbers(stats.rdev) };
}

/** Whether two nodes with the same metadata say the same. */
function sameSpecial(was: TreeNode | undefined, now: TreeNode): boolean {
  if (was?.type !== now.type) return false;
  if (now.type === 'symlink') return (was as typeof now).target === now.target;
  if (now.type === 'character' || now.type === 'block') {
    return (was as typeof now).major === now.major && (was as typeof now).minor === now.minor;
  }
  return true;
}

function sameMetadata(was: TreeNode, now: Metadata): boolean {
  return (
    was.mode === now.mode &&
    was.uid === now.uid &&
    was.gid === now.gid &&
    was.mtime === now.mtime &&
    was.xattrs?.[capability] === now.xattrs?.[capability]
  );
}

function pick({ mode, uid, gid, mtime, xattrs }: Metadata): Metadata {
  return { mode, uid, gid, mtime, xattrs };
}
