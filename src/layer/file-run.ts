import type { ListedChildren } from '../tree/listed-children.js';
import type { FileNode } from '../tree/node.js';
import { joinPath } from '../tree/path.js';
import type { LayerEntry } from './entry.js';

/**
 * Entries of a layer that come one behind another: files of one folder, each with one name and no extended attributes. Most
 * of what a layer holds is such, and is planned without an object for each.
 */
export interface FileRun {
  /** Path of the folder. */
  readonly folder: string;
  readonly count: number;
  readonly names: readonly string[];
  /** In the order of the names. */
  readonly nodes: readonly FileNode[];
  /** Where they come from, when a table tells of them: the children, and the row of the first. */
  readonly listed?: { readonly children: ListedChildren; readonly from: number } | undefined;
  /** Some of them. */
  slice(from: number, to: number): FileRun;
}

export type LayerItem = LayerEntry | FileRun;

/** So few that nobody has to keep the files of a large folder at the same time. */
export const longestRun = 256;

/** Files whose nodes are there. */
class GatheredRun implements FileRun {
  readonly folder: string;
  readonly names: readonly string[];
  readonly nodes: readonly FileNode[];

  constructor(folder: string, names: readonly string[], nodes: readonly FileNode[]) {
    this.folder = folder;
    this.names = names;
    this.nodes = nodes;
  }

  get count(): number {
    return this.nodes.length;
  }

  slice(from: number, to: number): FileRun {
    return new GatheredRun(this.folder, this.names.slice(from, to), this.nodes.slice(from, to));
  }
}

/** Files that a table tells of; nodes are made when somebody asks for them. */
export class ListedRun implements FileRun {
  readonly folder: string;
  readonly count: number;
  readonly #children: ListedChildren;
  readonly #from: number;
  #names: readonly string[] | undefined;
  #nodes: readonly FileNode[] | undefined;

  constructor(folder: string, children: ListedChildren, from: number, to: number) {
    this.folder = folder;
    this.count = to - from;
    this.#children = children;
    this.#from = from;
  }

  get listed() {
    return { children: this.#children, from: this.#from };
  }

  get names(): readonly string[] {
    this.#names ??= this.#children.table.names.slice(this.#from, this.#from + this.count);
    return this.#names;
  }

  get nodes(): readonly FileNode[] {
    if (this.#nodes === undefined) {
      const nodes: FileNode[] = [];
      for (let place = 0; place < this.count; place++) nodes.push(this.#children.file(this.#from + place));
      this.#nodes = nodes;
    }
    return this.#nodes;
  }

  slice(from: number, to: number): FileRun {
    const run = new ListedRun(this.folder, this.#children, this.#from + from, this.#from + to);
    run.#nodes = this.#nodes?.slice(from, to);
    return run;
  }
}

/** Gathers files into runs, in the order in which they are written. */
export class RunGatherer {
  #folder = '';
  #names: string[] = [];
  #nodes: FileNode[] = [];

  get isEmpty(): boolean {
    return this.#nodes.length === 0;
  }

  get isFull(): boolean {
    return this.#nodes.length >= longestRun;
  }

  /** A file of the same folder as those before it. */
  add(folder: string, name: string, node: FileNode): void {
    this.#folder = folder;
    this.#names.push(name);
    this.#nodes.push(node);
  }

  /** What has been gathered; from now on the next run is. */
  take(): FileRun {
    const run = new GatheredRun(this.#folder, this.#names, this.#nodes);
    this.#names = [];
    this.#nodes = [];
    return run;
  }
}

/** Whether it can be in a run. */
export function runs(node: { readonly type: string }): node is FileNode {
  const { type, single, xattrs } = node as FileNode;
  return type === 'file' && single === true && xattrs === undefined;
}

/** A file of a run as an entry. */
export function runEntry({ folder, names, nodes }: FileRun, place: number): LayerEntry & { readonly node: FileNode } {
  return { path: joinPath(folder, names[place]!), node: nodes[place]! };
}

/** The path of the first entry. */
export function firstPath(item: LayerItem): string {
  return 'path' in item ? item.path : joinPath(item.folder, item.names[0]!);
}

/** How many entries an item stands for. */
export function entryCount(item: LayerItem): number {
  return 'path' in item ? 1 : item.count;
}

/** Each entry by itself. */
export function* entriesOf(items: Iterable<LayerItem>): Generator<LayerEntry> {
  for (const item of items) {
    if ('path' in item) yield item;
    else for (let place = 0; place < item.count; place++) yield runEntry(item, place);
  }
}

/** The files among them. */
export function* filesOf(items: Iterable<LayerItem>): Generator<FileNode> {
  for (const item of items) {
    if (!('path' in item)) yield* item.nodes;
    else if ('node' in item && item.node.type === 'file') yield item.node;
  }
}
