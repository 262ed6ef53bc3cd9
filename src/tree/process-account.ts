import { LadingError } from '../errors/errors.js';
import type { AccountFiles } from './owner.js';

/** Whom a process runs as, by the account files of the tree that it runs in. */
export interface ProcessAccount {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** As the account files have it, which may be empty; `/` for a user that they do not have. */
  readonly home: string;
}

const needsNoAccounts = /^(?:root|\d+):(?:root|\d+)$/;

/** What Docker takes for an id. */
const idLimit = 2 ** 31 - 1;

/**
 * What `user[:group]` means for a process, as BuildKit decides it, which is not what it means for files: a number that
 * passwd has brings its group and its supplementary groups, another one is in group 0; with a group given there are no
 * supplementary ones; a name that nobody has is an error. Empty is root, and `root` is 0, whatever the account files say, where
 * the other half is a number or `root`, too.
 * @throws LadingError INVALID_VALUE
 */
export function processAccount(text: string, accounts: AccountFiles): ProcessAccount {
  const [user = '', group = ''] = (needsNoAccounts.test(text) ? text.replaceAll('root', '0') : text).split(':');
  const users = entries(accounts.passwd);
  const number = idOf(user === '' ? '0' : user, text);
  const known = users.find(([name, , uid]) => (number === undefined ? name === user : intOf(uid) === number));
  if (known === undefined && number === undefined) throw unknown('user', user, 'passwd', text);
  const uid = known === undefined ? number! : intOf(known[2]);
  const ownGid = known === undefined ? 0 : intOf(known[3]);
  const entry = users.find(([, , id]) => intOf(id) === uid);
  const home = entry === undefined ? '/' : (entry[5] ?? '');
  return { uid, ...groupsOf(group, known?.[0], ownGid, accounts.group, text), home };
}

function groupsOf(
  group: string,
  member: string | undefined,
  ownGid: number,
  groupFile: string | undefined,
  text: string,
): { gid: number; groups: readonly number[] } {
  const known = entries(groupFile);
  if (group === '') {
    const groups = known.filter(entry => member !== undefined && (entry[3] ?? '').split(',').includes(member));
    return { gid: ownGid, groups: [...new Set(groups.map(entry => intOf(entry[2])))] };
  }
  const number = idOf(group, text);
  const found = known.find(([name, , gid]) => (number === undefined ? name === group : intOf(gid) === number));
  if (found === undefined && number === undefined) throw unknown('group', group, 'group', text);
  return { gid: found === undefined ? number! : intOf(found[2]), groups: [] };
}

/** The fields of the lines of passwd(5) or group(5). */
function entries(file: string | undefined): string[][] {
  const lines = (file ?? '').split('\n').map(line => line.trim());
  return lines.filter(line => line !== '' && !line.startsWith('#')).map(line => line.split(':'));
}

/** What is no number is 0, as it is for Docker: such lines are in images. */
function intOf(field: string | undefined): number {
  return field !== undefined && /^[+-]?\d{1,10}$/.test(field) ? Number(field) : 0;
}

function idOf(word: string, text: string): number | undefined {
  if (!/^\+?\d+$/.test(word)) return undefined;
  const id = Number(word);
  if (id <= idLimit) return id;
  throw new LadingError('INVALID_VALUE', `user ${text}: uids and gids must be in range 0-${idLimit}`, {
    details: { what: 'user', value: text },
  });
}

function unknown(kind: 'user' | 'group', name: string, file: string, text: string): LadingError<'INVALID_VALUE'> {
  return new LadingError('INVALID_VALUE', `unable to find ${kind} ${name}: no matching entries in ${file} file`, {
    details: { what: kind, value: text },
    hint: `Add the ${kind} to /etc/${file} in a step before, or give numbers.`,
  });
}
