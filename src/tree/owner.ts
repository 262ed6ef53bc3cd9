import { LadingError } from '../errors/errors.js';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The text of `/etc/passwd` and `/etc/group` of a tree; absent where the file is. */
export interface AccountFiles {
  readonly passwd?: string | undefined;
  readonly group?: string | undefined;
}

const idLimit = 2 ** 32 - 1;

/**
 * What `user[:group]` means for the owner of files, as BuildKit decides it: numbers are taken as they are, a number
 * without a group is its own group, `root` is 0, a name takes its group from passwd, and a name that nobody has is 0.
 * @throws LadingError INVALID_VALUE for a number past 32 bits
 */
export function resolveOwner(text: string, accounts: AccountFiles): Owner {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  const group = colon < 0 ? undefined : text.slice(colon + 1);
  let owner: Owner;
  const number = parseId(user, text);
  if (user === '' || user === 'root') owner = { uid: 0, gid: 0 };
  else if (number !== undefined) owner = { uid: number, gid: number };
  else owner = findUser(accounts.passwd, user) ?? { uid: 0, gid: 0 };
  if (group === undefined || group === '') return owner;
  return { uid: owner.uid, gid: parseId(group, text) ?? findGroup(accounts.group, group) ?? 0 };
}

/** Whether an owner is written in names, so that the account files matter. */
export function ownerNeedsAccounts(text: string): boolean {
  return text.split(':').some(part => part !== '' && part !== 'root' && !/^\d+$/.test(part));
}

/** passwd(5): `name:password:uid:gid:…`. */
function findUser(passwd: string | undefined, name: string): Owner | undefined {
  const fields = findLine(passwd, name);
  const uid = Number(fields?.[2]);
  const gid = Number(fields?.[3]);
  return fields && isId(uid) && isId(gid) ? { uid, gid } : undefined;
}

/** group(5): `name:password:gid:members`. */
function findGroup(group: string | undefined, name: string): number | undefined {
  const fields = findLine(group, name);
  const gid = Number(fields?.[2]);
  return fields && isId(gid) ? gid : undefined;
}

function findLine(text: string | undefined, name: string): string[] | undefined {
  for (const line of text?.split('\n') ?? []) {
    if (line.startsWith(`${name}:`)) return line.trim().split(':');
  }
  return undefined;
}

function isId(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= idLimit;
}

function parseId(text: string, whole: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  if (isId(value)) return value;
  throw new LadingError('INVALID_VALUE', `not an owner: ${whole}: ${text} does not fit in 32 bits`, {
    details: { what: 'owner', value: whole },
  });
}
