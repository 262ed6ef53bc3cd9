import { clampTo } from '../build/copy/clamp.js';
import { Copier } from '../build/copy/copier.js';
import { hostTree } from '../build/host-tree.js';
import { LadingError } from '../errors/errors.js';
import { diffTrees } from '../layer/diff.js';
import type { LayerEntry } from '../layer/entry.js';
import { emptyRoot } from '../layer/tree-of-layers.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import { TreeEditor } from '../tree/editor.js';
import { lookup, realPath } from '../tree/lookup.js';
import type { DirectoryNode, TreeNode } from '../tree/node.js';
import { baseOf, joinPath, parentOf } from '../tree/path.js';
import type { Container } from './container.js';
import { ContainerShelf } from './container-shelf.js';
import { containerTree } from './container-tree.js';
import { packChanges } from './run-container.js';

export interface CopyInOptions extends CallOptions {
  readonly store: Store;
}

/**
 * Copies a file or folder of this machine into a container that does not run, by the rules of `docker cp`: into a folder
 * that is there, else under the name that is given; with `/.` behind a folder only what is in it. Root owns what is copied.
 * @throws LadingError USAGE while it runs; IO, PATH_NOT_FOUND, PATH_INVALID
 */
export async function copyIn(
  container: Container,
  { folder, file, name, contents }: HostSource,
  destination: string,
  { store, signal }: CopyInOptions,
): Promise<Container> {
  const tree = await containerTree(store, container, { signal });
  const source = hostTree(folder);
  const node = file ? lookup(source, name, { follow: false })?.node : source;
  if (node === undefined) throw notFound(`${folder}/${name}`);
  const editor = new TreeEditor(tree);
  const copier = new Copier(editor, { epoch: 0, clamp: clampTo(0, 'keep') });
  const target = targetPath(tree, destination, name, contents);
  if (node.type === 'directory') copier.copy(node, '', `/${target}`);
  else copier.copy(node, baseOf(target), `/${target}`);
  const layer = await packChanges(store, tree, editor.root, { signal });
  if (layer === undefined) return container;
  return await new ContainerShelf(store).update(container.id, now => {
    if (now.status === 'running') throw whileRunning(now);
    return { ...now, layers: [...now.layers, layer] };
  });
}

/** A folder of this machine, or a file in it. */
export interface HostSource {
  readonly folder: string;
  /** A file of the folder is meant, the one called `name`. */
  readonly file: boolean;
  /** What it is called where it goes. */
  readonly name: string;
  /** Of a folder only what is in it. */
  readonly contents: boolean;
}

export interface FoundFiles {
  /** What a folder would hold that got them: one entry, or with `contents` what is in the folder. */
  readonly tree: DirectoryNode;
  readonly node: TreeNode;
}

/** A file or folder of a container, with all below it, called `name`. @throws LadingError PATH_NOT_FOUND */
export async function findFiles(
  container: Container,
  path: string,
  {
    store,
    name,
    contents,
    follow,
    signal,
  }: CopyInOptions & {
    readonly name: string;
    readonly contents: boolean;
    readonly follow: boolean;
  },
): Promise<FoundFiles> {
  const tree = await containerTree(store, container, { signal });
  const found = lookup(tree, path, { follow });
  if (found === undefined) throw notFound(`${container.name}:${path}`);
  const { node } = found;
  if (contents && node.type === 'directory') return { node, tree: { ...emptyRoot, children: node.children } };
  return { node, tree: { ...emptyRoot, children: new Map([[name, node]]) } };
}

/** The entries of such files, for an archive or a folder. */
export function filesOf(tree: DirectoryNode): Iterable<LayerEntry> {
  return { [Symbol.iterator]: () => diffTrees(emptyRoot, tree) };
}

/** Where a copy goes: into the folder of that name, if it is one, else there. */
function targetPath(tree: DirectoryNode, destination: string, name: string, contents: boolean): string {
  const path = realPath(tree, destination);
  const there = path === '' ? tree : lookup(tree, path)?.node;
  if (there?.type === 'directory') return contents || name === '' ? path : joinPath(path, name);
  if (there === undefined && destination.endsWith('/')) throw notFound(destination);
  const parent = parentOf(path);
  if (parent !== '' && lookup(tree, parent)?.node.type !== 'directory') throw notFound(`/${parent}`);
  return path;
}

export function whileRunning({ name }: Container): LadingError<'USAGE'> {
  return new LadingError('USAGE', `${name} is running: what it has changed is not known before it ends`, {
    details: {},
    hint: `Stop it first: lading stop ${name}`,
  });
}

function notFound(path: string): LadingError<'PATH_NOT_FOUND'> {
  const shown = path.toWellFormed();
  return new LadingError('PATH_NOT_FOUND', `${shown} is not there`, { details: { path: shown } });
}
