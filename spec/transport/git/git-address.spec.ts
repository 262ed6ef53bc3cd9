import { describe, expect, it } from 'vitest';
import { splitCredentials, submoduleAddress, tokenScope } from '../../../src/transport/git/git-address.js';

describe('splitCredentials', () => {
  it.each([
    ['https://example.org/x.git', 'https://example.org/x.git', undefined, undefined],
    ['https://me:pw@example.org/x.git', 'https://example.org/x.git', 'https://example.org/', 'me:pw'],
    ['http://me:p%40w@example.org:80/x.git', 'http://example.org:80/x.git', 'http://example.org:80/', 'me:p@w'],
    ['https://a@b:c@example.org/x', 'https://example.org/x', 'https://example.org/', 'a@b:c'],
    ['https://me@example.org/x.git', 'https://example.org/x.git', undefined, undefined],
    ['https://me:%zz@example.org/x', 'https://example.org/x', 'https://example.org/', 'me:%zz'],
    ['https://example.org/a@b:c', 'https://example.org/a@b:c', undefined, undefined],
    ['git@example.org:x', 'git@example.org:x', undefined, undefined],
    ['ssh://git@example.org/x', 'ssh://git@example.org/x', undefined, undefined],
  ])('of %s', (address, remote, scope, user) => {
    const authorization = user === undefined ? undefined : { scope, value: `Basic ${btoa(user)}` };
    expect(splitCredentials(address)).toEqual(authorization === undefined ? { remote } : { remote, authorization });
  });
});

describe('tokenScope', () => {
  it.each([
    ['https://example.org/a/b.git', 'https://example.org/a/b.git'],
    ['https://github.com/a/b.git', 'https://github.com/'],
    ['https://www.github.com/a/b.git', 'https://www.github.com/'],
    ['https://github.com.example.org/a/b.git', 'https://github.com.example.org/a/b.git'],
  ])('of %s is %s', (remote, scope) => {
    expect(tokenScope(remote)).toBe(scope);
  });
});

describe('submoduleAddress', () => {
  const https = 'https://example.org/owner/name.git';
  it.each([
    [https, 'https://other.example/x.git', 'https://other.example/x.git'],
    [https, '../other.git', 'https://example.org/owner/other.git'],
    [`${https}/`, '../other.git', 'https://example.org/owner/other.git'],
    [https, '../../third/x', 'https://example.org/third/x'],
    [https, './sub', 'https://example.org/owner/name.git/sub'],
    [https, '../a/../b', 'https://example.org/owner/b'],
    ['git@example.org:owner/name.git', '../other.git', 'git@example.org:owner/other.git'],
    ['git@example.org:/srv/name.git', '../other.git', 'git@example.org:/srv/other.git'],
    ['git@example.org:name.git', '../other.git', 'git@example.org:other.git'],
    [https, 'git@example.org:x/y', 'git@example.org:x/y'],
    [https, 'alias:x/y', 'alias:x/y'],
    [https, 'ssh://git@example.org:22/x', 'ssh://git@example.org:22/x'],
    [https, 'git://example.org/x', 'git://example.org/x'],
    [https, 'https://me:pw@example.org/x', 'https://me:pw@example.org/x'],
  ])('from %s, written %s, is %s', (remote, written, address) => {
    expect(submoduleAddress(remote, written)).toBe(address);
  });

  it.each([
    ...['', '/srv/x', 'x', 'x/y', 'file:///srv/x', 'ext::sh -c x', 'a@b::x', '-u./x', 'c:/x', 'https://', 'https:///x'],
    ...[
      'ssh://-x/y',
      'ssh://me@-x/y',
      '-x@host:y',
      'me@-x:y',
      'host:-x',
      'https://example.org/x\ny',
      'ftp://example.org/x',
    ],
    ...['../../../x', '../../..', 'https://example.org'],
  ])('is none for %j', written => {
    expect(submoduleAddress(https, written)).toBeUndefined();
  });
});
