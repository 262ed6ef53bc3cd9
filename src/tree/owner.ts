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
 * without a group is its own group, `root` is 0, a name takes its group from passwd, and a user that nobody has is 0.
 * A group that nobody has changes nothing, an empty one (`app:`) is 0.
 * @throws LadingError INVALID_VALUE for a number past 32 bits
 */
export function resolveOwner(text: string, accounts: AccountFiles): Owner {
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  const number = parseId(user, text);
  const { uid, gid } = number === undefined ? findUser(accounts.passwd, user) : { uid: number, gid: number };
  if (colon < 0) return { uid, gid };
  const group = text.slice(colon + 1);
  return { uid, gid: parseId(group, text) ?? findGroup(accounts.group, group) ?? gid };
}

/** Whether an owner is written in names, so that the account files matter. */
export function ownerNeedsAccounts(text: string): boolean {
  return text.split(':').some(part => !isNumber(part));
}

/** passwd(5): `name:password:uid:gid:…`. */
function findUser(passwd: string | undefined, name: string): Owner {
  const fields = findLine(passwd, name);
  return { uid: readId(fields?.[2]), gid: readId(fields?.[3]) };
}

/** group(5): `name:password:gid:members`. */
function findGroup(group: string | undefined, name: string): number | undefined {
  const fields = findLine(group, name);
  return fields && readId(fields[2]);
}

function findLine(text: string | undefined, name: string): string[] | undefined {
  for (const line of text?.split('\n') ?? []) {
    const fields = line.trim().split(':');
    if (fields[0] === name && name !== '') return fields;
  }
  return undefined;
}

/** The number in a field of an account file; what is none is 0. */
function readId(field: string | undefined): number {
  const value = Number(field);
  return Number.isInteger(value) && value >= 0 && value <= idLimit ? value : 0;
}

/** Words that are numbers without any account file. */
function isNumber(text: string): boolean {
  return text === '' || text === 'root' || /^\+?\d+$/.test(text);
}

function parseId(text: string, whole: string): number | undefined {
  if (!isNumber(text)) return undefined;
  const value = text === 'root' ? 0 : Number(text);
  if (value <= idLimit) return value;
  throw new LadingError('INVALID_VALUE', `not an owner: ${whole}: ${text} does not fit in 32 bits`, {
    details: { what: 'owner', value: whole },
  });
}
