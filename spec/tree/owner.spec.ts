import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { ownerNeedsAccounts, resolveOwner } from '../../src/tree/owner.js';

const accounts = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:\napp:x:1001:1002::/home/app:/bin/sh\nbroken:x:a:b::\nhalf:x:a:9::\n  spaced:x:3:4::\n',
  group: 'root:x:0:\nstaff:x:50:app\n',
};

describe('resolveOwner', () => {
  it.each([
    ['1000', 1000, 1000],
    ['1000:5', 1000, 5],
    ['root', 0, 0],
    ['app', 1001, 1002],
    ['app:staff', 1001, 50],
    ['7:staff', 7, 50],
    [':staff', 0, 50],
    ['app:', 1001, 0],
    ['7:', 7, 0],
    [':', 0, 0],
    ['nobody-knows', 0, 0],
    ['app:nobody-knows', 1001, 1002],
    ['7:nobody-knows', 7, 7],
    ['app:staff:more', 1001, 1002],
    ['broken', 0, 0],
    ['half', 0, 9],
    ['spaced', 3, 4],
    ['+5', 5, 5],
    ['-5', 0, 0],
    ['', 0, 0],
  ])('reads %j as %d:%d', (text, uid, gid) => expect(resolveOwner(text, accounts)).toEqual({ uid, gid }));

  it('takes names for 0 where there are no account files', () => {
    expect(resolveOwner('app:staff', {})).toEqual({ uid: 0, gid: 0 });
  });

  it('refuses numbers past 32 bits', () => {
    expect(() => resolveOwner('4294967296', {})).toThrow(
      expect.toSatisfy(error => isLadingError(error, 'INVALID_VALUE')),
    );
    expect(resolveOwner('4294967295', {}).uid).toBe(4294967295);
  });

  it('knows when names are used', () => {
    expect(['1', '1:2', 'root', 'root:0', ''].some(ownerNeedsAccounts)).toBe(false);
    expect(['app', '1:staff', 'app:1'].every(ownerNeedsAccounts)).toBe(true);
  });
});
