import { constants } from 'node:fs';
import { aboveModeAt, type HostIdentity, identityWords, modeAt } from './host-identity.js';
import type { FileNode, TreeNode } from './node.js';

/** What is in a folder of this machine, as a table. */
export interface FolderTable {
  /** By their bytes. */
  readonly names: readonly string[];
  /** What `stat` says of each: rows as in `HostIdentity`. Files with more names than one have something above the mode. */
  readonly rows: Int32Array;
  /** When `stat` could have missed no change of any of the files: see `settled.ts`. */
  readonly settledFrom: number;
  /** How nodes come of rows: where that is the same, the same rows give the same nodes. */
  readonly making: string;
}

/**
 * The children of a folder of which a table tells. The nodes of files with one name are made each time that they are asked
 * for, and are garbage behind that: those of a million files would be most of the memory of a build.
 */
export class ListedChildren implements ReadonlyMap<string, TreeNode> {
  readonly table: FolderTable;
  /** All but the files with one name. */
  readonly #others: ReadonlyMap<string, TreeNode>;
  readonly #fileOf: (identity: HostIdentity, name: string) => FileNode;
  #places: ReadonlyMap<string, number> | undefined;

  constructor(
    table: FolderTable,
    others: ReadonlyMap<string, TreeNode>,
    fileOf: (identity: HostIdentity, name: string) => FileNode,
  ) {
    this.table = table;
    this.#others = others;
    this.#fileOf = fileOf;
  }

  /** The same folder with other nodes; `making`: what `change` depends on. */
  mapped(making: string, change: (child: TreeNode, name: string) => TreeNode): ListedChildren {
    const others = new Map<string, TreeNode>();
    for (const [name, node] of this.#others) others.set(name, change(node, name));
    const table = { ...this.table, making: `${making}\n${this.table.making}` };
    const fileOf = (identity: HostIdentity, name: string): FileNode =>
      change(this.#fileOf(identity, name), name) as FileNode;
    return new ListedChildren(table, others, fileOf);
  }

  /** Whether the child of that row is a file with one name. */
  isFile(place: number): boolean {
    return isSingleFile(this.table.rows, place * identityWords);
  }

  /** The node of such a file. */
  file(place: number): FileNode {
    const { names, rows } = this.table;
    return this.#fileOf({ words: rows, at: place * identityWords }, names[place]!);
  }

  get size(): number {
    return this.table.names.length;
  }

  has(name: string): boolean {
    return this.#others.has(name) || this.#placeOf(name) !== undefined;
  }

  get(name: string): TreeNode | undefined {
    const other = this.#others.get(name);
    if (other !== undefined) return other;
    const place = this.#placeOf(name);
    return place === undefined ? undefined : this.file(place);
  }

  keys(): MapIterator<string> {
    return this.table.names.values() as MapIterator<string>;
  }

  *entries(): MapIterator<[string, TreeNode]> {
    for (const [place, name] of this.table.names.entries()) yield [name, this.#others.get(name) ?? this.file(place)];
  }

  *values(): MapIterator<TreeNode> {
    for (const [, node] of this.entries()) yield node;
  }

  [Symbol.iterator](): MapIterator<[string, TreeNode]> {
    return this.entries();
  }

  forEach(call: (node: TreeNode, name: string, children: ReadonlyMap<string, TreeNode>) => void): void {
    for (const [name, node] of this.entries()) call(node, name, this);
  }

  #placeOf(name: string): number | undefined {
    this.#places ??= new Map(this.table.names.map((each, place) => [each, place]));
    return this.#places.get(name);
  }
}

/** Whether a row is of a regular file with no other name. */
export function isSingleFile(rows: Int32Array, at: number): boolean {
  return aboveModeAt(rows, at) === 0 && (modeAt(rows, at) & constants.S_IFMT) === constants.S_IFREG;
}
