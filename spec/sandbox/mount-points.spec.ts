import { lstat, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type MountPoints, mountPoints } from '../../src/sandbox/mount-points.js';
import { PathInRoot } from '../../src/sandbox/path-in-root.js';
import { exchanging } from '../support/exchanging.js';
import { requirePrograms } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';

describe('mountPoints', () => {
  let folder: string;
  let root: string;
  let points: MountPoints;

  beforeEach(async () => {
    folder = await tempDir();
    root = join(folder, 'root');
    await mkdir(join(root, 'etc'), { recursive: true });
    await writeFile(join(root, 'etc/hosts'), 'before');
    await utimes(join(root, 'etc'), 1000, 1000);
    points = mountPoints(root);
  });

  it('makes what is missing and takes it away again, with the times of before', async () => {
    expect(await points.make('/etc/deep/folder', 'directory')).toBe('/etc/deep/folder');
    expect(await points.make('/etc/file', 'file')).toBe('/etc/file');
    expect(await points.make('/etc/hosts', 'file')).toBe('/etc/hosts');
    expect((await lstat(join(root, 'etc/file'))).isFile()).toBe(true);
    await points.remove();
    expect(await readdir(join(root, 'etc'))).toEqual(['hosts']);
    expect((await lstat(join(root, 'etc'))).mtimeMs).toBe(1_000_000);
  });

  it('leaves what is in use now, and the time of what was changed beside it', async () => {
    await points.make('/etc/folder', 'directory');
    await writeFile(join(root, 'etc/folder/kept'), '');
    await utimes(join(root, 'etc'), 2000, 2000);
    await points.remove();
    expect(await readdir(join(root, 'etc/folder'))).toEqual(['kept']);
    expect((await lstat(join(root, 'etc'))).mtimeMs).toBe(2_000_000);
  });

  it('covers what is there, and what is not', async () => {
    await points.cover('/etc/hosts', join(folder, 'aside'), path => writeFile(path, 'shown'));
    await points.cover('/dev/x', join(folder, 'none'), path => mkdir(path));
    expect(await readFile(join(root, 'etc/hosts'), 'utf8')).toBe('shown');
    await rm(join(root, 'etc/hosts'));
    await writeFile(join(root, 'dev/x/made'), '');
    await points.remove();
    expect(await readFile(join(root, 'etc/hosts'), 'utf8')).toBe('before');
    expect(await readdir(root)).toEqual(['etc']);
  });

  it('puts back what it cannot cover', async () => {
    const failing = points.cover('/etc/hosts', join(folder, 'aside'), () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(await readFile(join(root, 'etc/hosts'), 'utf8')).toBe('before');
  });

  it('touches nothing through a link that was put in the way', async () => {
    await mkdir(join(folder, 'victim/sub'), { recursive: true });
    await points.make('/etc/sub', 'directory');
    await rename(join(root, 'etc'), join(root, 'moved'));
    await symlink(join(folder, 'victim'), join(root, 'etc'));
    await points.remove();
    expect(await readdir(join(folder, 'victim'))).toEqual(['sub']);
  });

  it('takes what it has put somewhere out of a folder that was moved, and puts back what was there', async () => {
    await points.make('/etc/sub', 'directory');
    await points.cover('/etc/hosts', join(folder, 'aside'), path => writeFile(path, 'shown'));
    await rename(join(root, 'etc'), join(root, 'moved'));
    await points.remove();
    expect(await readdir(join(root, 'moved'))).toEqual(['hosts']);
    expect(await readFile(join(root, 'moved/hosts'), 'utf8')).toBe('before');
  });

  it.runIf(requirePrograms(['perl']).met)(
    'makes nothing outside while folders are exchanged for links',
    async () => {
      const outside = join(folder, 'outside');
      await mkdir(outside);
      await mkdir(join(root, 'x'));
      await symlink(outside, join(root, 'y'));
      const attacker = await exchanging(join(root, 'x'), join(root, 'y'));
      onTestFinished(() => attacker.stop());
      for (let attempt = 0; attempt < 60; attempt++) {
        for (const [name, kind] of [['/x/d/e', 'directory'] as const, ['/x/f', 'file'] as const]) {
          // Where it is a link at that moment, it leads to a folder of that name inside the root.
          await points.make(name, kind).catch(error => expect(error).toMatchObject({ code: 'PATH_INVALID' }));
        }
        await points.remove();
        expect(await readdir(outside)).toEqual([]);
      }
    },
    30_000,
  );

  it('follows links as a process in the root would', async () => {
    await symlink('/etc', join(root, 'absolute'));
    await symlink('../../../etc', join(root, 'relative'));
    await symlink('loop', join(root, 'loop'));
    expect(await points.make('/absolute/new', 'file')).toBe('/etc/new');
    expect(await points.make('/relative/other', 'directory')).toBe('/etc/other');
    const found = new PathInRoot(root, '/../../x/../etc/hosts');
    expect([found.names, found.present, found.endsInFolder]).toEqual([['etc', 'hosts'], 2, false]);
    found.close();
    await expect(points.make('/loop/x', 'file')).rejects.toMatchObject({ code: 'PATH_INVALID' });
    await expect(points.make('/etc/hosts', 'directory')).rejects.toMatchObject({ code: 'PATH_INVALID' });
    await expect(points.make('/etc', 'file')).rejects.toMatchObject({ code: 'PATH_INVALID' });
    await points.remove();
  });
});
