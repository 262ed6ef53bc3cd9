import { describe, expect, it } from 'vitest';
import type { Container } from '../../src/container/container.js';
import { withoutMountPoints } from '../../src/container/without-mount-points.js';
import { listing, treeOf } from '../support/tree-of.js';

const volumes = [{ source: '/host', target: '/data/deep', readOnly: true }];
const container = { process: { volumes, tmpfs: [{ target: '/scratch' }] } } as unknown as Container;

describe('what is left of a root that nobody has tidied up', () => {
  it('has the files again that something was in the place of, and nothing of that', () => {
    const image = { 'etc/hosts': 'of the image', 'etc/passwd': 'a', 'data/deep/file': 'b', 'dev/odd': 'c' };
    const left = {
      ...{ 'etc/hosts': 'shown', 'etc/resolv.conf': 'shown', 'etc/passwd': 'a', 'etc/new': 'made' },
      ...{ 'data/deep/other': 'shown', 'dev/null': 'shown', 'scratch/a/b': 'shown' },
    };
    const after = withoutMountPoints(treeOf(image), treeOf(left), container);
    expect(listing(after)).toEqual(listing(treeOf({ ...image, 'etc/new': 'made' })));
  });

  it('has the folder of devices that every process has, and no other that was made', () => {
    const left = { 'etc/hosts': '', 'data/deep/other': 'shown', 'dev/null': 'shown', file: 'made' };
    const after = withoutMountPoints(treeOf({}), treeOf(left), container);
    expect(listing(after).map(line => line.split(' ')[0])).toEqual(['dev', 'file']);
  });

  it('stays without a folder that the process has removed', () => {
    const image = { 'etc/hosts': 'of the image', file: 'a' };
    expect(listing(withoutMountPoints(treeOf(image), treeOf({ file: 'a' }), container))).toHaveLength(1);
  });
});
