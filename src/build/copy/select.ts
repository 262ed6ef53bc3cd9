import { hasMeta, matchName } from '../../dockerfile/match.js';
import { lookup, realPath } from '../../tree/lookup.js';
import type { DirectoryNode } from '../../tree/node.js';
import { cleanComponents, compareNames, joinPath } from '../../tree/path.js';

/** What a COPY source comes to. */
export interface SelectedSources {
  readonly paths: readonly string[];
  /** The part before the first wildcard, where nothing is at it: that is no wildcard without a match, but a mistake. */
  readonly missing?: string | undefined;
}

/**
 * The paths that a COPY source means. A source without wildcards is itself, there or not. With wildcards, links in the
 * part before the first one are followed, and each later component is matched (Go's filepath.Match) against the names
 * of real folders, in the order of their bytes.
 */
export function selectSources(root: DirectoryNode, source: string): SelectedSources {
  const components = cleanComponents(source);
  const first = components.findIndex(hasMeta);
  if (first < 0) return { paths: [components.join('/')] };
  const start = components.slice(0, first).join('/');
  const base = lookup(root, start);
  if (base === undefined) return { paths: [], missing: realPath(root, start) };
  const { node } = base;
  return { paths: node.type === 'directory' ? matchBelow(node, start, components.slice(first)) : [] };
}

function matchBelow(directory: DirectoryNode, path: string, patterns: readonly string[]): string[] {
  const [pattern, ...rest] = patterns;
  const names = [...directory.children.keys()].filter(name => matchName(pattern!, name)).sort(compareNames);
  return names.flatMap(name => {
    const child = directory.children.get(name)!;
    const childPath = joinPath(path, name);
    if (rest.length === 0) return [childPath];
    return child.type === 'directory' ? matchBelow(child, childPath, rest) : [];
  });
}
