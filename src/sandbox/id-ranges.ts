import { readFileSync } from 'node:fs';

/** Ids that a user may use beside its own: the first of them, and how many. */
export interface IdRange {
  readonly start: number;
  readonly count: number;
}

export interface IdRanges {
  readonly uids: IdRange;
  readonly gids: IdRange;
}

/** Users that images have in ordinary life: `nobody` is 65534. */
const wanted = 65_536;

/** The widest range of a user in each of `/etc/subuid` and `/etc/subgid`; nothing when there is none in one of them. */
export function idRanges(uid: number, etc = '/etc'): IdRanges | undefined {
  const passwd = textOf(`${etc}/passwd`);
  const name = passwd.split('\n').find(line => line.split(':')[2] === String(uid));
  const names = [String(uid), ...(name === undefined ? [] : [name.split(':')[0]!])];
  const [uids, gids] = ['subuid', 'subgid'].map(file => widest(textOf(`${etc}/${file}`), names));
  return uids && gids && { uids, gids };
}

function widest(text: string, names: readonly string[]): IdRange | undefined {
  const ranges = text.split('\n').flatMap(line => {
    const [name, start, count] = line.split(':');
    if (name === undefined || !names.includes(name)) return [];
    return [{ start: Number(start), count: Math.min(Number(count), wanted) }];
  });
  return ranges
    .filter(({ start, count }) => Number.isInteger(start) && Number.isInteger(count) && start > 0 && count > 0)
    .sort((a, b) => b.count - a.count)[0];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
