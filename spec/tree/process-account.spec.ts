import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { processAccount } from '../../src/tree/process-account.js';

const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false

dockerio:x:1001:1001::/home/dockerio:/bin/false
homeless:x:5:6:::/bin/sh
odd:x:nobody:7::/odd:/bin/sh
brief:x:8:9
short
`;
const group = `root:x:0:root
wheel:x:10:root
supplementary:x:1002:dockerio,other
dockerio:x:1001:
staff:x:50:dockerio
`;

describe('whom a process runs as', () => {
  it.each([
    ['', 0, 0, [0, 10], '/root'],
    ['root', 0, 0, [0, 10], '/root'],
    ['0', 0, 0, [0, 10], '/root'],
    ['dockerio', 1001, 1001, [1002, 50], '/home/dockerio'],
    ['1001', 1001, 1001, [1002, 50], '/home/dockerio'],
    ['dockerio:dockerio', 1001, 1001, [], '/home/dockerio'],
    ['1001:1001', 1001, 1001, [], '/home/dockerio'],
    ['dockerio:supplementary', 1001, 1002, [], '/home/dockerio'],
    ['1001:1002', 1001, 1002, [], '/home/dockerio'],
    [':wheel', 0, 10, [], '/root'],
    ['dockerio:', 1001, 1001, [1002, 50], '/home/dockerio'],
    ['daemon', 1, 1, [], '/usr/sbin'],
    ['1234', 1234, 0, [], '/'],
    ['1042:1043', 1042, 1043, [], '/'],
    ['homeless', 5, 6, [], ''],
    ['brief', 8, 9, [], ''],
    ['odd', 0, 7, [], '/root'],
  ])('%j is %i:%i', (text, uid, gid, groups, home) => {
    expect(processAccount(text, { passwd, group })).toEqual({ uid, gid, groups, home });
  });

  it.each([
    ['root:root', 0, 0],
    ['root:5', 0, 5],
    ['5:root', 5, 0],
  ])('%j asks no accounts', (text, uid, gid) => {
    expect(processAccount(text, {})).toEqual({ uid, gid, groups: [], home: '/' });
    const other = { passwd: 'root:x:8:9::/:\n', group: 'root:x:7:\n' };
    expect(processAccount(text, other)).toEqual({ uid, gid, groups: [], home: '/' });
    expect(processAccount('root', other)).toMatchObject({ uid: 8, gid: 9 });
    expect(processAccount(':root', { ...other, passwd: undefined })).toMatchObject({ uid: 0, gid: 7 });
  });

  it('is root where there are no accounts', () => {
    expect(processAccount('', {})).toEqual({ uid: 0, gid: 0, groups: [], home: '/' });
    expect(processAccount('7:8', {})).toEqual({ uid: 7, gid: 8, groups: [], home: '/' });
  });

  it.each(['nosuch', 'root:nosuch', '2147483648', '0:2147483648', 'nosuch:0'])('refuses %j', text => {
    let thrown: unknown;
    try {
      processAccount(text, { passwd, group });
    } catch (error) {
      thrown = error;
    }
    expect(isLadingError(thrown, 'INVALID_VALUE')).toBe(true);
  });
});
