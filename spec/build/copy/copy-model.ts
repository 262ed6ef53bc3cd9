/** A file of the model: a path leads to one, and a folder is an entry like any other. */
export type ModelEntry =
  | { readonly type: 'directory'; readonly mode: number; readonly mtime: number }
  | { readonly type: 'file'; readonly mode: number; readonly mtime: number; readonly text: string }
  | { readonly type: 'symlink'; readonly target: string };

/** All paths of a tree but its root. */
export type ModelTree = ReadonlyMap<string, ModelEntry>;

const epoch = 1000;

/**
 * COPY of one source as the rules say it, as slowly and as plainly as can be: a table of paths, no sharing, and links
 * followed by rewriting the path. `undefined` where BuildKit refuses.
 */
export function modelCopy(
  source: ModelTree,
  from: string,
  target: ModelTree,
  destination: string,
): ModelTree | undefined {
  const result = new Map(target);
  const put = (path: string, entry: ModelEntry): boolean => {
    const there = result.get(path);
    if (there !== undefined && (there.type === 'directory') !== (entry.type === 'directory')) return false;
    result.set(path, entry);
    return true;
  };
  const makeAll = (path: string): boolean =>
    ancestors(path).every(folder => {
      if (!result.has(folder)) result.set(folder, { type: 'directory', mode: 0o755, mtime: epoch });
      return result.get(folder)!.type === 'directory';
    });

  const found = follow(source, from);
  const entry = found === '' ? rootEntry : found === undefined ? undefined : source.get(found);
  if (found === undefined || entry === undefined) return undefined;
  let to = follow(result, destination);
  if (to === undefined) return undefined;
  if (/\/\.?$/.test(destination) && !makeAll(to)) return undefined;
  if (entry.type !== 'directory') {
    if (to === '' || result.get(to)?.type === 'directory') to = child(to, from.split('/').at(-1)!);
    return makeAll(parent(to)) && put(to, entry) ? result : undefined;
  }
  if (!makeAll(to)) return undefined;
  const inside = [...source].filter(([path]) => found === '' || path.startsWith(`${found}/`));
  // A folder before what is in it.
  for (const [path, below] of inside.sort(([a], [b]) => a.split('/').length - b.split('/').length)) {
    if (!put(child(to, found === '' ? path : path.slice(found.length + 1)), below)) return undefined;
  }
  const folder = result.get(to);
  if (folder?.type === 'directory') result.set(to, { ...folder, mtime: entry.mtime });
  return result;
}

const rootEntry: ModelEntry = { type: 'directory', mode: 0o755, mtime: 0 };

const child = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`);
const parent = (path: string): string => path.split('/').slice(0, -1).join('/');
const ancestors = (path: string): string[] =>
  path === '' ? [] : path.split('/').map((_, i, names) => names.slice(0, i + 1).join('/'));

/** The path without links; `undefined` for a circle. */
function follow(tree: ModelTree, path: string): string | undefined {
  let names = path.split('/').filter(name => name !== '' && name !== '.');
  for (let turn = 0; turn < 300; turn++) {
    const next = names.findIndex(
      (name, i) => name === '..' || tree.get(names.slice(0, i + 1).join('/'))?.type === 'symlink',
    );
    if (next < 0) return names.join('/');
    const before = names.slice(0, next);
    const after = names.slice(next + 1);
    if (names[next] === '..') {
      names = [...before.slice(0, -1), ...after];
      continue;
    }
    const { target } = tree.get([...before, names[next]].join('/')) as Extract<ModelEntry, { type: 'symlink' }>;
    const led = target.split('/').filter(name => name !== '' && name !== '.');
    names = [...(target.startsWith('/') ? [] : before), ...led, ...after];
  }
  return undefined;
}
