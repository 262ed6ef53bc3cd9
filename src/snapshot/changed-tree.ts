import type { BigIntStats } from 'node:fs';
import type { HostFile } from '../layer/hash-files.js';
import { deviceNumbers, identityOf, linkTarget, wholeSeconds } from '../layer/host-stats.js';
import type { Digest } from '../oci/digest.js';
import type { FileOwner } from '../sandbox/sandbox.js';
import type { CallOptions } from '../stream/bytes.js';
import { emptyDirectory, TreeEditor, withMetadata } from '../tree/editor.js';
import type { DirectoryNode, FileNode, Metadata, TreeNode } from '../tree/node.js';
import { parentOf } from '../tree/path.js';
import { capability } from './file-attributes.js';
import { type FoundChange, type FoundFile, isPresent } from './found-change.js';
import { loosened } from './loosened.js';
import type { ChangesOptions, RanProcess } from './roots.js';

export interface ReadChangesOptions extends ChangesOptions {
  /** `kept`: what `stat` says is true. `recorded`: all files belong to one uid, and what they should is known otherwise. */
  readonly owners: 'kept' | 'recorded';
  readonly ran: RanProcess;
  /** Values of `security.capability` of files, by their path in the tree; absent for those that have none. */
  readonly capabilities: ReadonlyMap<string, string>;
  readonly hashFiles: (files: readonly HostFile[], options?: CallOptions) => Promise<Digest[]>;
}

/** A file of the disk, under all the names that were found of it. */
interface FoundInode {
  readonly names: FoundFile[];
  readonly metadata: Metadata;
  /** What the tree has under the names, when it could be the very same. */
  readonly same: FileNode | undefined;
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
  const files = await unchangedFiles(foundFiles(old, found, options), options);
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
    const metadata = metadataOf(change, was, ownerOf(change, was, editor, options), options);
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
    const named = names.find(({ path }) => options.ran.owners?.has(path)) ?? known;
    const was = old.get(known.path);
    const metadata = metadataOf(known, was, ownerOf(named, was, old, options), options);
    const nodes = new Set(names.map(({ path }) => old.get(path)));
    const [node] = nodes;
    const possible = nodes.size === 1 && node?.type === 'file' && sameMetadata(node, metadata);
    return { names, metadata, same: possible && node.size === Number(known.stats.size) ? node : undefined };
  });
}

/** The node of every name: the one of before for what has not changed, which takes reading where metadata cannot tell. */
async function unchangedFiles(
  files: readonly FoundInode[],
  { clamp = mtime => mtime, hashFiles, signal }: ReadChangesOptions,
): Promise<ReadonlyMap<FoundChange, FileNode>> {
  const nodes = new Map<FoundChange, FileNode>();
  const read: Array<{ readonly file: FoundInode; readonly now: FileNode & HostFile }> = [];
  for (const file of files) {
    const { names, metadata, same } = file;
    const { host, stats } = names[0]!;
    const content = { kind: 'host', path: host, identity: identityOf(stats) } as const;
    const single = names.length === 1;
    const now = {
      type: 'file',
      ...metadata,
      mtime: clamp(metadata.mtime),
      size: Number(stats.size),
      content,
      single,
    } as const;
    for (const name of names) nodes.set(name, now);
    if (same?.digest !== undefined) read.push({ file, now });
  }
  const digests = await hashFiles(
    read.map(({ now }) => now),
    { signal },
  );
  for (const [i, { file }] of read.entries()) {
    if (digests[i] === file.same!.digest) for (const name of file.names) nodes.set(name, file.same!);
  }
  return nodes;
}

function ownerOf(
  { path, stats }: FoundFile,
  was: TreeNode | undefined,
  tree: TreeEditor,
  { owners, ran }: ReadChangesOptions,
): FileOwner {
  if (owners === 'kept') return { uid: Number(stats.uid), gid: Number(stats.gid) };
  const recorded = ran.owners?.get(path) ?? was;
  if (recorded !== undefined) return recorded;
  const parent = tree.get(parentOf(path));
  const inherits = parent !== undefined && (parent.mode & 0o2000) !== 0;
  return { uid: ran.user.uid, gid: inherits ? parent.gid : ran.user.gid };
}

function metadataOf(
  { path, stats }: FoundFile,
  was: TreeNode | undefined,
  { uid, gid }: FileOwner,
  { owners, capabilities }: ReadChangesOptions,
): Metadata {
  const mtime = wholeSeconds(stats.mtimeNs);
  const value = owners === 'recorded' ? was?.xattrs?.[capability] : capabilities.get(path);
  const xattrs = value === undefined ? undefined : { [capability]: value };
  return { mode: modeOf(stats, was, owners), uid, gid, mtime, xattrs };
}

function modeOf(stats: BigIntStats, was: TreeNode | undefined, owners: 'kept' | 'recorded'): number {
  if (stats.isSymbolicLink()) return 0o777;
  const mode = Number(stats.mode) & 0o7777;
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
