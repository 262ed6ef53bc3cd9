import { LadingError } from '../errors/errors.js';
import type { DirectoryNode, Metadata, TreeNode } from './node.js';
import { baseOf, joinPath, parentOf, pathLimit } from './path.js';

/** A directory with nothing in it. */
export function emptyDirectory(metadata: Partial<Metadata> = {}): DirectoryNode {
  return { type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, ...metadata, children: new Map() };
}

const setGroupId = 0o2000;

/** What a folder that is made in another takes over from it, as with mkdir(2): its group, where that is what setgid asks for. */
export function inheritedGroup(parent: Metadata): Pick<Metadata, 'mode' | 'gid'> {
  return (parent.mode & setGroupId) === 0 ? { mode: 0, gid: 0 } : { mode: setGroupId, gid: parent.gid };
}

/** The same directory with other metadata; the children are shared. */
export function withMetadata(directory: DirectoryNode, metadata: Metadata): DirectoryNode {
  const { mode, uid, gid, mtime, mtimeNanoseconds, xattrs } = metadata;
  return { type: 'directory', mode, uid, gid, mtime, mtimeNanoseconds, xattrs, children: directory.children };
}

/**
 * Makes a new tree out of one: folders on the way to a change are copied once, the rest is shared with the tree that it
 * began with, which stays as it was. Paths are taken as they are: resolve links first (`realPath`).
 */
export class TreeEditor {
  #root: DirectoryNode;
  readonly #owned = new WeakSet<ReadonlyMap<string, TreeNode>>();
  /** Entries come folder by folder: remembering the last one saves most walks. */
  #last: { path: string; children: Map<string, TreeNode> } | undefined;

  constructor(root: DirectoryNode) {
    this.#root = root;
  }

  /** The tree as it is now. It goes on changing with the editor. */
  get root(): DirectoryNode {
    return this.#root;
  }

  /** The node at exactly this path: no link is followed. */
  get(path: string): TreeNode | undefined {
    if (path === '') return this.#root;
    const parent = parentOf(path);
    if (this.#last?.path === parent) return this.#last.children.get(baseOf(path));
    let node: TreeNode | undefined = this.#root;
    for (const name of path.split('/')) node = node?.type === 'directory' ? node.children.get(name) : undefined;
    return node;
  }

  /**
   * Puts a node at a path in place of whatever was there. The parent must be a directory.
   * @throws LadingError PATH_INVALID for a path that is too long
   */
  set(path: string, node: TreeNode): void {
    checkPathLength(path);
    if (path === '') {
      if (node.type !== 'directory') throw new Error('the root of a tree is a directory');
      this.#root = node;
      this.#last = undefined;
      return;
    }
    const children = this.#own(parentOf(path));
    const previous = children.get(baseOf(path));
    if (previous?.type === 'directory' && this.#last !== undefined && isWithin(this.#last.path, path)) {
      this.#last = undefined;
    }
    children.set(baseOf(path), node);
  }

  /** Makes a path and its parents folders: root's, mode 0755, in place of what is missing or none. */
  makeDirectories(path: string): void {
    let walked = '';
    for (const name of path === '' ? [] : path.split('/')) {
      walked = joinPath(walked, name);
      if (this.get(walked)?.type !== 'directory') this.set(walked, emptyDirectory());
    }
  }

  /** Takes a path and all below it away; nothing happens when it is not there. */
  remove(path: string): void {
    if (this.get(path) === undefined) return;
    this.#own(parentOf(path)).delete(baseOf(path));
    if (this.#last !== undefined && isWithin(this.#last.path, path)) this.#last = undefined;
  }

  /** The children of a directory, as a map of this tree's own. */
  #own(path: string): Map<string, TreeNode> {
    if (this.#last?.path === path) return this.#last.children;
    const [root, rootChildren] = this.#claim(this.#root);
    this.#root = root;
    let children = rootChildren;
    let walked = '';
    for (const name of path === '' ? [] : path.split('/')) {
      walked = joinPath(walked, name);
      const child = children.get(name);
      if (child?.type !== 'directory') throw new Error(`not a directory: ${walked}`);
      const [claimed, claimedChildren] = this.#claim(child);
      if (claimed !== child) children.set(name, claimed);
      children = claimedChildren;
    }
    this.#last = { path, children };
    return children;
  }

  #claim(directory: DirectoryNode): [DirectoryNode, Map<string, TreeNode>] {
    if (this.#owned.has(directory.children)) return [directory, directory.children as Map<string, TreeNode>];
    const children = new Map(directory.children);
    this.#owned.add(children);
    return [{ ...withMetadata(directory, directory), children }, children];
  }
}

/** @throws LadingError PATH_INVALID for a path that is too long to be unpacked anywhere */
export function checkPathLength(path: string): void {
  if (path.length <= pathLimit) return;
  const shown = `${path.slice(0, 200)}…`;
  throw new LadingError('PATH_INVALID', `/${shown} is longer than ${pathLimit} characters`, {
    details: { path: shown, problem: 'too long' },
    hint: 'Nothing could unpack it: copy to a path that is not as deep.',
  });
}

function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}/`);
}
