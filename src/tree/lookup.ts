import { LadingError } from '../errors/errors.js';
import type { DirectoryNode, TreeNode } from './node.js';
import { cleanComponents, pathLimit } from './path.js';

/** What a path leads to: the node, and the path without links that it really is at. */
export interface Found {
  readonly path: string;
  readonly node: TreeNode;
}

/** As many links as Linux follows before it calls a path a loop, and then some. */
const linkLimit = 255;

/**
 * The node at a path. Links among the parents are always followed, the last component only with `follow` (the default).
 * Links resolve inside the tree: absolute ones start at its root and `..` stops there, so nothing outside is reachable.
 * `undefined` when nothing is there.
 * @throws LadingError PATH_INVALID for a loop of links, and where links lead deeper than a path can say
 */
export function lookup(
  root: DirectoryNode,
  path: string,
  options: { readonly follow?: boolean } = {},
): Found | undefined {
  const walk = resolve(root, path, options.follow ?? true);
  return walk.node === undefined ? undefined : { path: walk.trail.join('/'), node: walk.node };
}

/**
 * The path that a path really is, links followed as far as anything is there; what is missing is taken as written.
 * @throws LadingError PATH_INVALID for a loop of links, and where links lead deeper than a path can say
 */
export function realPath(root: DirectoryNode, path: string): string {
  return resolve(root, path, true).trail.join('/');
}

function resolve(
  root: DirectoryNode,
  path: string,
  followLast: boolean,
): { trail: string[]; node: TreeNode | undefined } {
  const pending = components(path).reverse();
  let trail: string[] = [];
  // nodes[i] is what trail.slice(0, i) leads to; undefined once the path has left what is there.
  let nodes: Array<TreeNode | undefined> = [root];
  let links = 0;
  let length = 0;
  while (pending.length > 0) {
    const name = pending.pop()!;
    if (name === '..') {
      if (trail.length > 0) {
        length -= trail.pop()!.length + 1;
        nodes.pop();
      }
      continue;
    }
    const parent = nodes.at(-1);
    const node = parent?.type === 'directory' ? parent.children.get(name) : undefined;
    if (node?.type === 'symlink' && (followLast || pending.length > 0)) {
      links += 1;
      if (links > linkLimit) throw unreachable(path, 'too many links', 'link loop');
      if (node.target.startsWith('/')) {
        length = 0;
        trail = [];
        nodes = [root];
      }
      pending.push(...components(node.target).reverse());
      continue;
    }
    length += name.length + 1;
    if (length > pathLimit) throw unreachable(path, 'a path that is too long', 'too long');
    trail.push(name);
    nodes.push(node);
  }
  return { trail, node: nodes.at(-1) };
}

function unreachable(path: string, what: string, problem: string): LadingError {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return new LadingError('PATH_INVALID', `${what} while following /${shown}`, { details: { path: shown, problem } });
}

/** Keeps `..`: it means the parent of where a link led, not of the link. */
function components(path: string): string[] {
  return path.includes('..') ? path.split('/').filter(part => part !== '' && part !== '.') : cleanComponents(path);
}
