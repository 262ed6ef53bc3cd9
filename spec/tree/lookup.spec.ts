import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { lookup, realPath } from '../../src/tree/lookup.js';
import { treeOf } from '../support/tree-of.js';

describe('lookup', () => {
  const root = treeOf({
    'usr/lib/x.so': 'x',
    lib: '-> usr/lib',
    'etc/abs': '-> /usr/lib/x.so',
    'etc/out': '-> ../../../../../usr',
    'etc/dangling': '-> /nowhere/at/all',
    loop: '-> loop2',
    loop2: '-> /loop',
    'deep/up': '-> ..',
  });

  it.each([
    ['lib/x.so', 'usr/lib/x.so'],
    ['/etc/abs', 'usr/lib/x.so'],
    ['etc/out/lib', 'usr/lib'],
    ['deep/up/etc/abs', 'usr/lib/x.so'],
    ['../../etc/../lib/../lib/x.so', 'usr/lib/x.so'],
    ['', ''],
    ['/', ''],
  ])('finds %s at %s', (path, real) => expect(lookup(root, path)?.path).toBe(real));

  it('takes `..` behind a link from where the link leads', () => {
    expect(lookup(root, 'lib/../lib')?.path).toBe('usr/lib');
    expect(lookup(root, 'lib/../etc')).toBeUndefined();
  });

  it('stops at a link when asked to', () => {
    expect(lookup(root, 'lib', { follow: false })?.node.type).toBe('symlink');
    expect(lookup(root, 'lib/x.so', { follow: false })?.node.type).toBe('file');
  });

  it('finds nothing behind a dangling link, below a file, or nowhere', () => {
    expect(lookup(root, 'etc/dangling')).toBeUndefined();
    expect(lookup(root, 'usr/lib/x.so/y')).toBeUndefined();
    expect(lookup(root, 'missing/../missing')).toBeUndefined();
  });

  it('names the place of what is not there yet', () => {
    expect(realPath(root, 'lib/new/file')).toBe('usr/lib/new/file');
    expect(realPath(root, 'etc/dangling/file')).toBe('nowhere/at/all/file');
    expect(realPath(root, 'etc/out')).toBe('usr');
  });

  it('refuses a loop', () => {
    for (const find of [lookup, realPath]) {
      try {
        find(root, 'loop/x');
        expect.unreachable();
      } catch (error) {
        expect(isLadingError(error, 'PATH_INVALID')).toBe(true);
      }
    }
  });
});
