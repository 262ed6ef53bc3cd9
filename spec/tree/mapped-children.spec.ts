import { describe, expect, it } from 'vitest';
import { MappedChildren } from '../../src/tree/mapped-children.js';
import type { TreeNode } from '../../src/tree/node.js';

const fifo = (mtime: number): TreeNode => ({ type: 'fifo', mode: 0o644, uid: 0, gid: 0, mtime });

describe('MappedChildren', () => {
  const children = new MappedChildren(
    new Map([
      ['b', 2],
      ['zero', 0],
    ]),
    number => fifo(number),
  );

  it('is the map that it stands for, however it is read', () => {
    const map = new Map([
      ['b', fifo(2)],
      ['zero', fifo(0)],
    ]);
    expect(new Map(children)).toEqual(map);
    expect([...children.entries()]).toEqual([...map]);
    expect([...children.keys()]).toEqual(['b', 'zero']);
    expect([...children.values()]).toEqual([...map.values()]);
    const called = new Map<string, TreeNode>();
    children.forEach((node, name) => void called.set(name, node));
    expect(called).toEqual(map);
    expect(children.size).toBe(2);
    expect([children.has('zero'), children.has('c')]).toEqual([true, false]);
    expect([children.get('zero'), children.get('c')]).toEqual([fifo(0), undefined]);
  });

  it('keeps no node', () => {
    expect(children.get('b')).not.toBe(children.get('b'));
  });
});
