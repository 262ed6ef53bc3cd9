import { ListedChildren } from '../tree/listed-children.js';
import type { DirectoryNode, FileNode, Metadata, TreeNode } from '../tree/node.js';
import { joinPath, sortNames } from '../tree/path.js';
import type { LayerEntry } from './entry.js';
import { entriesOf, type LayerItem, ListedRun, longestRun, RunGatherer, runs } from './file-run.js';

/** A folder that is being walked. */
interface Frame {
  readonly path: string;
  readonly before: ReadonlyMap<string, TreeNode> | undefined;
  readonly after: ReadonlyMap<string, TreeNode>;
  readonly names: readonly string[];
  /** Where all that is in it is new, and a table tells of it. */
  readonly listed?: ListedChildren | undefined;
  next: number;
  /** Its own entry, for when something below it has changed. */
  unwritten: LayerEntry | undefined;
}

/**
 * The entries of a layer that turns one tree into another, in the order of BuildKit's differ: names of a folder by
 * their bytes, a folder before its content, a whiteout where the removed name was. A folder stands in the layer when its
 * metadata changed or something below it did. Shared nodes are unchanged, so the cost follows the change, not the tree.
 * Nothing is kept of an entry that has been given, but of files that may have several names.
 */
export function diffTrees(before: DirectoryNode, after: DirectoryNode): Generator<LayerEntry> {
  return entriesOf(diffRuns(before, after));
}

/** The same, with files that are much alike in runs. */
export function* diffRuns(before: DirectoryNode, after: DirectoryNode): Generator<LayerItem> {
  const written = new Map<FileNode, string>();
  const run = new RunGatherer();
  const walked = [frameOf('', before, after)];
  for (let frame = walked.at(-1); frame !== undefined; frame = walked.at(-1)) {
    const name = frame.names[frame.next++];
    if (name === undefined) {
      if (!run.isEmpty) yield run.take();
      walked.pop();
      continue;
    }
    if (frame.listed?.isFile(frame.next - 1)) {
      yield* unwritten(walked);
      yield listedRun(frame, frame.listed);
      continue;
    }
    const old = frame.before?.get(name);
    const now = frame.after.get(name);
    if (old === now) continue;
    if (now !== undefined && runs(now)) {
      if (run.isEmpty) yield* unwritten(walked);
      run.add(frame.path, name, now);
      if (run.isFull) yield run.take();
      continue;
    }
    if (!run.isEmpty) yield run.take();
    const path = joinPath(frame.path, name);
    let below: Frame | undefined;
    if (now?.type === 'directory') {
      const was = old?.type === 'directory' ? old : undefined;
      below = frameOf(path, was, now);
      if (was !== undefined && sameMetadata(was, now)) {
        below.unwritten = { path, node: now };
        walked.push(below);
        continue;
      }
    }
    yield* unwritten(walked);
    yield now === undefined ? { path, whiteout: true } : entryOf(path, now, written);
    if (below !== undefined) walked.push(below);
  }
}

/** Folders that stand in the layer for what is below them. */
function* unwritten(walked: readonly Frame[]): Generator<LayerEntry> {
  for (const parent of walked) {
    if (parent.unwritten === undefined) continue;
    yield parent.unwritten;
    parent.unwritten = undefined;
  }
}

/** The files from the last name on that stand one behind another. */
function listedRun(frame: Frame, listed: ListedChildren): ListedRun {
  const from = frame.next - 1;
  while (frame.next < frame.names.length && frame.next - from < longestRun && listed.isFile(frame.next)) {
    frame.next += 1;
  }
  return new ListedRun(frame.path, listed, from, frame.next);
}

function frameOf(path: string, before: DirectoryNode | undefined, after: DirectoryNode): Frame {
  const old = before?.children;
  const now = after.children;
  if (old === undefined && now instanceof ListedChildren) {
    return { path, before: old, after: now, names: now.table.names, listed: now, next: 0, unwritten: undefined };
  }
  if (old === now) return { path, before: old, after: now, names: [], next: 0, unwritten: undefined };
  const names = [...now.keys()];
  for (const name of old?.keys() ?? []) if (!now.has(name)) names.push(name);
  return { path, before: old, after: now, names: sortNames(names), next: 0, unwritten: undefined };
}

function entryOf(path: string, node: TreeNode, written: Map<FileNode, string>): LayerEntry {
  if (node.type !== 'file' || node.single === true) return { path, node };
  const first = written.get(node);
  if (first !== undefined) return { path, hardlink: first };
  written.set(node, path);
  return { path, node };
}

function sameMetadata(a: Metadata, b: Metadata): boolean {
  return (
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.mtime === b.mtime &&
    (a.mtimeNanoseconds ?? 0) === (b.mtimeNanoseconds ?? 0) &&
    JSON.stringify(a.xattrs ?? {}) === JSON.stringify(b.xattrs ?? {})
  );
}
