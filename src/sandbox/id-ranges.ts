import { readFile } from 'node:fs/promises';

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
export async function idRanges(uid: number, etc = '/etc'): Promise<IdRanges | undefined> {
  const passwd = await readFile(`${etc}/passwd`, 'utf8').catch(() => '');
  const name = passwd.split('\n').find(line => line.split(':')[2] === String(uid));
  const names = [String(uid), ...(name === undefined ? [] : [name.split(':')[0]!])];
  const [uids, gids] = await Promise.all(
    ['subuid', 'subgid'].map(async file => {
      return widest(await readFile(`${etc}/${file}`, 'utf8').catch(() => ''), names);
    }),
  );
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
