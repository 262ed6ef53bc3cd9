import { createHash } from 'node:crypto';
import { FileAccess } from '../../src/build/file-access.js';
import { layersOfImage } from '../../src/build/stage-files.js';
import type { Image } from '../../src/image/image.js';
import { treeOfLayers } from '../../src/layer/tree-of-layers.js';
import type { Store } from '../../src/store/store.js';
import type { DirectoryNode, TreeNode } from '../../src/tree/node.js';
import { joinPath } from '../../src/tree/path.js';

/** What the recorded results of the corpus say of one path; the keys and forms are theirs. */
export type SummaryEntry = Record<string, unknown>;

export interface ImageSummary {
  readonly tree: Record<string, SummaryEntry | null>;
  readonly hardlinks: string[][];
  readonly hardlinksGone: string[][];
  readonly config: Record<string, unknown>;
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  readonly author?: string | undefined;
  readonly historyEmptyLayers: boolean[];
  readonly historyCreatedBy: string[];
  readonly historyCreated: Array<string | undefined>;
  readonly created: string | undefined;
  readonly layerCount: number;
  readonly mtimes: Record<string, number | null>;
}

const configKeys =
  'User ExposedPorts Env Entrypoint Cmd Volumes WorkingDir Labels StopSignal Healthcheck OnBuild Shell'.split(' ');

/** An image as the corpus records it: its files against those of its base, its configuration and its history. */
export async function summarize(
  image: Image,
  base: Image | undefined,
  store: Store,
  mtimePaths: readonly string[] = [],
): Promise<ImageSummary> {
  const files = await flatten(await treeOfLayers(layersOfImage(image), store), store);
  const before = base === undefined ? new Map() : await flatten(await treeOfLayers(layersOfImage(base), store), store);
  const tree: Record<string, SummaryEntry | null> = {};
  for (const path of [...new Set([...files.keys(), ...before.keys()])].sort()) {
    const now = files.get(path)?.entry;
    if (JSON.stringify(now) !== JSON.stringify(before.get(path)?.entry)) tree[path] = now ?? null;
  }
  const links = hardlinks(files);
  const linksBefore = hardlinks(before);
  const container = (image.config.config ?? {}) as Record<string, unknown>;
  const history = image.config.history ?? [];
  return {
    tree,
    hardlinks: without(links, linksBefore),
    hardlinksGone: without(linksBefore, links),
    config: Object.fromEntries(configKeys.flatMap(key => (isEmpty(container[key]) ? [] : [[key, container[key]]]))),
    os: image.config.os,
    architecture: image.config.architecture,
    variant: image.config.variant,
    author: image.config.author,
    historyEmptyLayers: history.map(entry => entry.empty_layer ?? false),
    historyCreatedBy: history.map(entry => entry.created_by ?? ''),
    historyCreated: history.map(entry => entry.created),
    created: image.config.created,
    layerCount: image.layers.length,
    mtimes: Object.fromEntries(mtimePaths.map(path => [path, files.get(path)?.node.mtime ?? null])),
  };
}

type Flat = Map<string, { readonly node: TreeNode; readonly entry: SummaryEntry }>;

async function flatten(root: DirectoryNode, store: Store): Promise<Flat> {
  const access = new FileAccess(store);
  const flat: Flat = new Map();
  const visit = async (directory: DirectoryNode, path: string): Promise<void> => {
    for (const [name, node] of directory.children) {
      const child = joinPath(path, name);
      flat.set(`/${child}`, { node, entry: await entryOf(node, access) });
      if (node.type === 'directory') await visit(node, child);
    }
  };
  await visit(root, '');
  return flat;
}

async function entryOf(node: TreeNode, access: FileAccess): Promise<SummaryEntry> {
  const kinds = { file: 'file', directory: 'dir', symlink: 'symlink', character: 'char', block: 'block', fifo: 'fifo' };
  const entry: SummaryEntry = { type: kinds[node.type] };
  if (node.type !== 'symlink') entry['mode'] = node.mode.toString(8).padStart(4, '0');
  entry['uid'] = node.uid;
  entry['gid'] = node.gid;
  if (node.type === 'symlink') entry['link'] = node.target;
  if (node.type === 'file') {
    const bytes = await access.read(node, 1 << 28, 'a file of the corpus');
    entry['size'] = node.size;
    entry['sha256'] = createHash('sha256').update(bytes).digest('hex');
  }
  if (node.type === 'character' || node.type === 'block') entry['dev'] = [node.major, node.minor];
  if (node.xattrs !== undefined && Object.keys(node.xattrs).length > 0) {
    entry['xattrs'] = Object.fromEntries(
      Object.entries(node.xattrs).map(([name, value]) => [name, Buffer.from(value, 'latin1').toString('hex')]),
    );
  }
  return entry;
}

function hardlinks(files: Flat): string[][] {
  const groups = new Map<TreeNode, string[]>();
  for (const [path, { node }] of files) {
    if (node.type !== 'directory') groups.set(node, [...(groups.get(node) ?? []), path]);
  }
  return [...groups.values()]
    .filter(group => group.length > 1)
    .map(group => group.sort())
    .sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
}

function without(groups: string[][], others: string[][]): string[][] {
  const known = new Set(others.map(group => JSON.stringify(group)));
  return groups.filter(group => !known.has(JSON.stringify(group)));
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined || value === '' || (typeof value === 'object' && Object.keys(value as object).length === 0)
  );
}
