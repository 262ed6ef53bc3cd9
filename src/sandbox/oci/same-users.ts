import { readFile, writeFile } from 'node:fs/promises';

/**
 * Says who is in the user namespace of a process: all that are in ours, and they are whom they are. The first has a range of
 * its own, since programs take one range of all for there being no user namespace.
 */
export async function mapSameUsers(pid: number): Promise<void> {
  for (const name of ['uid_map', 'gid_map']) {
    const own = await readFile(`/proc/self/${name}`, 'utf8');
    const ranges = own.split('\n').flatMap(line => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
      return count > 0 ? [{ first, count }] : [];
    });
    const [{ first, count }, ...others] = ranges as [(typeof ranges)[0], ...typeof ranges];
    const split = count > 1 ? [{ first: first + 1, count: count - 1 }] : [];
    const map = [{ first, count: 1 }, ...split, ...others].map(
      range => `${range.first} ${range.first} ${range.count}\n`,
    );
    await writeFile(`/proc/${pid}/${name}`, map.join(''));
  }
}
