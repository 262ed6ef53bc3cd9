import { describe, expect, it } from 'vitest';
import { sourceKind } from '../../src/plan/remote-source.js';

describe('sourceKind', () => {
  it.each([
    ['http://example.org/a.tar.gz', 'http'],
    ['https://example.org/repo.git/file', 'http'],
    ['https://example.org/?x=.git', 'http'],
    ['https://example.org/repo.git', 'git'],
    ['http://example.org/repo.git#v1:sub', 'git'],
    ['https://example.org/repo.git?tag=v1', 'git'],
    ['git://example.org/repo', 'git'],
    ['ssh://git@example.org/repo', 'git'],
    ['git@example.org:owner/repo', 'git'],
    ['HTTPS://example.org/repo.git', 'git'],
    ['HTTP://example.org/a', 'path'],
    ['ftp://example.org/a', 'path'],
    ['github.com/owner/repo', 'path'],
    ['./http://x', 'path'],
    ['dir/a:b', 'path'],
    ['a b@host:x', 'path'],
    ['', 'path'],
  ])('takes %s for %s', (source, kind) => {
    expect(sourceKind(source)).toBe(kind);
  });
});
