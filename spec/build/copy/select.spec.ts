import { describe, expect, it } from 'vitest';
import { selectSources } from '../../../src/build/copy/select.js';
import { treeOf } from '../../support/tree-of.js';

const root = treeOf({
  'a.go': '',
  'b.go': '',
  'sub/dir1/dir2/foo': '',
  'sub/dir3/foo': '',
  'arr[0].txt': '',
  'link/x': '',
  linked: '-> sub',
  astray: '-> nowhere',
  '.hidden': '',
});

describe('selectSources', () => {
  it.each([
    ['*.go', ['a.go', 'b.go']],
    ['/*.go', ['a.go', 'b.go']],
    ['../*.go', ['a.go', 'b.go']],
    ['sub/*', ['sub/dir1', 'sub/dir3']],
    ['sub/*/dir2/foo', ['sub/dir1/dir2/foo']],
    ['sub/dir?', ['sub/dir1', 'sub/dir3']],
    ['sub/dir[!1]', ['sub/dir1']],
    ['sub/dir[^1]', ['sub/dir3']],
    ['arr[[]0].txt', ['arr[0].txt']],
    ['linked/dir*', ['linked/dir1', 'linked/dir3']],
    ['l*/dir1', []],
    ['nomatch*', []],
    ['missing', ['missing']],
    ['.', ['']],
    ['/', ['']],
    ['.hid*', ['.hidden']],
    ['**/foo', []],
  ])('%s is %j', (pattern, expected) => expect(selectSources(root, pattern)).toEqual({ paths: expected }));

  it.each([
    ['missing/x*', 'missing'],
    ['sub/missing/*/x', 'sub/missing'],
    ['astray/*', 'nowhere'],
  ])('%s asks for %s, which is not there', (pattern, missing) =>
    expect(selectSources(root, pattern)).toEqual({ paths: [], missing }),
  );

  it('finds nothing below a file', () => expect(selectSources(root, 'a.go/x*')).toEqual({ paths: [] }));
});
