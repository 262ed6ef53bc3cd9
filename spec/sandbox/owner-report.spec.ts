import { lstat, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { applyOwners } from '../../src/sandbox/owners/owner-report.js';
import { tempDir } from '../support/temp-dir.js';

it.runIf(process.getuid?.() === 0)('gives away files of the root alone, however its links are laid', async () => {
  const folder = await tempDir();
  const root = join(folder, 'root');
  await mkdir(join(root, 'd'), { recursive: true });
  for (const path of [join(folder, 'f'), join(root, 'd/f'), join(root, 'd/\udcff')]) await writeFile(path, '');
  await symlink(folder, join(root, 'out'));
  await symlink('d', join(root, 'in'));
  await symlink('../f', join(root, 'last'));
  // What a trace believes to have seen: names that a process has laid links to meanwhile.
  const names = ['d/f', 'out/f', 'in/f', 'last', 'gone', 'd/f/x', 'd/\udcff'];
  applyOwners(root, new Map(names.map((name, i) => [name, { uid: 5000 + i, gid: 6000 + i }])));
  const owners = await Promise.all(
    [join(folder, 'f'), ...['d/f', 'last', 'd', 'd/\udcff'].map(name => join(root, name))].map(async path => {
      const { uid, gid } = await lstat(path);
      return `${uid}:${gid}`;
    }),
  );
  expect(owners).toEqual(['0:0', '5000:6000', '5003:6003', '0:0', '0:0']);
});
