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
  ])('%s is %j', (pattern, expected) => expect(selectSources(root, pattern)).toEqual(expected));
});
