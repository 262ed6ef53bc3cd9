import type { TreeNode } from './node.js';

/**
 * The children of a folder as what is kept of them and a way to make nodes of that. A node is made each time that it is
 * asked for, and is garbage behind that: the nodes of a million files would be most of the memory of a build. Whoever
 * gives the items keeps the nodes that must stay the same, which are those with several names.
 */
export class MappedChildren<T> implements ReadonlyMap<string, TreeNode> {
  readonly #items: ReadonlyMap<string, T>;
  readonly #nodeOf: (item: T, name: string) => TreeNode;

  constructor(items: ReadonlyMap<string, T>, nodeOf: (item: T, name: string) => TreeNode) {
    this.#items = items;
    this.#nodeOf = nodeOf;
  }

  get size(): number {
    return this.#items.size;
  }

  has(name: string): boolean {
    return this.#items.has(name);
  }

  get(name: string): TreeNode | undefined {
    const item = this.#items.get(name);
    return item === undefined ? undefined : this.#nodeOf(item, name);
  }

  keys(): MapIterator<string> {
    return this.#items.keys();
  }

  *entries(): MapIterator<[string, TreeNode]> {
    for (const [name, item] of this.#items) yield [name, this.#nodeOf(item, name)];
  }

  *values(): MapIterator<TreeNode> {
    for (const [name, item] of this.#items) yield this.#nodeOf(item, name);
  }

  [Symbol.iterator](): MapIterator<[string, TreeNode]> {
    return this.entries();
  }

  forEach(call: (node: TreeNode, name: string, children: ReadonlyMap<string, TreeNode>) => void): void {
    for (const [name, node] of this.entries()) call(node, name, this);
  }
}
