import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { busyboxRoot } from '../support/busybox-root.js';
import { giveTree, otherUserPrograms, runAsOther, sandboxProgram } from '../support/other-user.js';
import { describeWith } from '../support/programs.js';
import type { SandboxedResult } from '../support/run-in-sandbox.js';
import { tempDir } from '../support/temp-dir.js';

const programs = ['proot', 'perl', 'busybox', ...otherUserPrograms];

describeWith(programs, 'owners of files where only one user exists', () => {
  let folder: string;
  let program: string;
  let count = 0;

  beforeAll(async () => {
    folder = await tempDir();
    await chmod(folder, 0o755);
    program = await sandboxProgram(folder);
  });

  async function run(
    command: string,
    { user = 0, before = {} as Readonly<Record<string, { uid: number; gid: number }>> | undefined } = {},
  ): Promise<SandboxedResult> {
    count += 1;
    const place = join(folder, `run-${count}`);
    const scratch = join(place, 'scratch');
    await mkdir(scratch, { recursive: true });
    const root = await busyboxRoot(place);
    for (const name of ['old', 'shared']) await writeFile(join(root, name), 'text');
    await mkdir(join(root, 'tree/sub'), { recursive: true });
    await writeFile(join(root, 'tree/sub/file'), '');
    await giveTree(place, 1000);
    return runAsOther(program, {
      kind: 'proot',
      scratch,
      before,
      request: {
        root: { kind: 'directory', path: root },
        argv: ['/bin/sh', '-ec', command],
        env: ['PATH=/bin'],
        cwd: '/',
        user: { uid: user, gid: user, groups: [] },
        hostname: 'builder',
        network: 'default',
        extraHosts: [],
        mounts: [],
        limits: [],
        security: 'sandbox',
        input: 'none',
      },
    });
  }

  it('are what they were given to, under the name at the end', async () => {
    const { exitCode, stderr, owners, uncertain } = await run(`
      mkdir /app; touch /app/a /app/gone /b; ln -s nowhere /link
      chown -R 10:20 /app; chown 30 /b; chown -h 40:40 /link
      rm /app/gone; mv /app /srv; mv /b /srv/c; ln /srv/c /hard`);
    expect({ exitCode, stderr, uncertain }).toEqual({ exitCode: 0, stderr: '', uncertain: [] });
    expect(owners).toMatchObject({ srv: '10:20', 'srv/a': '10:20', 'srv/c': '30:0', hard: '30:0', link: '40:40' });
    expect(Object.keys(owners).filter(path => /^(?:app|b$|srv\/gone)/.test(path))).toEqual([]);
  });

  it('are the users that processes play', async () => {
    const { owners, uncertain } = await run(`
      touch /mine
      su app -c 'touch /tmp/theirs; mkdir /tmp/folder; ln -s x /tmp/link; mkfifo /tmp/pipe; echo >/tmp/folder/file'
      touch /after`);
    expect(uncertain).toEqual([]);
    expect(owners).toMatchObject({ mine: '0:0', after: '0:0' });
    for (const name of ['theirs', 'folder', 'link', 'pipe', 'folder/file'])
      expect(owners[`tmp/${name}`]).toBe('1000:1000');
    expect((await run('touch /tmp/x', { user: 1000 })).owners).toEqual({ 'tmp/x': '1000:1000' });
  });

  it('come from folders that give their group on', async () => {
    const { owners } = await run(
      'mkdir /group; chgrp 50 /group; chmod 2775 /group; touch /group/file; mkdir /group/sub',
    );
    expect(owners).toMatchObject({ group: '0:50', 'group/file': '0:50', 'group/sub': '0:50' });
  });

  it('move with files of before, and with all that is below them', async () => {
    const before = { tree: { uid: 5, gid: 6 }, 'tree/sub': { uid: 7, gid: 8 }, 'tree/sub/file': { uid: 9, gid: 9 } };
    const { owners, uncertain } = await run('mv /tree /moved; chown 1:8 /moved/sub', { before });
    expect(owners).toEqual({ moved: '5:6', 'moved/sub': '1:8', 'moved/sub/file': '9:9' });
    expect(uncertain).toEqual([]);
    const blind = await run('mv /tree /moved', { before: undefined });
    expect(blind.uncertain).toEqual(['moved', 'moved/sub', 'moved/sub/file']);
  });

  it('stay when a file is edited, and go when it is made again', async () => {
    const before = { old: { uid: 5, gid: 6 }, shared: { uid: 5, gid: 6 } };
    const kept = await run('sed -i s/text/other/ /old; echo more >>/shared; echo new >/shared', { before });
    expect(kept).toMatchObject({ owners: { old: '5:6' }, uncertain: [] });
    const again = await run('rm /old; echo >/old', { before });
    expect(again).toMatchObject({ owners: { old: '0:0' }, uncertain: [] });
    const given = await run('chown 0:0 /old', { before });
    expect(given.owners).toEqual({ old: '0:0' });
    const over = await run('echo >/new; mv /new /old', { before });
    expect(over).toMatchObject({ owners: { old: '0:0' }, uncertain: ['old'] });
  });

  it('are copied with files', async () => {
    const before = { tree: { uid: 5, gid: 6 }, 'tree/sub': { uid: 7, gid: 8 }, 'tree/sub/file': { uid: 0, gid: 0 } };
    const { owners, uncertain } = await run('cp -a /tree /copy; cp /tree/sub/file /plain', { before });
    expect(owners).toEqual({ copy: '5:6', 'copy/sub': '7:8', 'copy/sub/file': '0:0', plain: '0:0' });
    // The programs of busybox cannot be told from one another.
    expect(uncertain).toEqual(['copy', 'copy/sub']);
  });

  it('stay with links to folders that are moved', async () => {
    const { owners, uncertain } = await run('mkdir /d; ln -s ../tree /d/link; mv /d /e; mv /e/link /f');
    expect(owners).toEqual({ e: '0:0', f: '0:0' });
    expect(uncertain).toEqual([]);
  });

  it('are kept for names that are odd', async () => {
    const { owners } = await run(`mkdir '/a b'; touch '/a b/"c") = 0x0' "/a b/line
break" '/a b/ü' "/a b/$(printf '\\377')"; chown 3:3 /a\\ b/*`);
    expect(owners).toMatchObject({
      'a b/"c") = 0x0': '3:3',
      'a b/line\nbreak': '3:3',
      'a b/ü': '3:3',
      'a b/\udcff': '3:3',
    });
  });

  it('are uncertain where one half may only repeat what was shown', async () => {
    const before = { old: { uid: 5, gid: 6 } };
    expect(await run('chown 7 /old', { before })).toMatchObject({ owners: { old: '7:0' }, uncertain: ['old'] });
    expect(await run('chown 7:7 /old', { before })).toMatchObject({ owners: { old: '7:7' }, uncertain: [] });
  });

  it('are of no use to those who may not give files away', async () => {
    const { exitCode, owners } = await run('chown 5:5 /old', { user: 1000, before: { old: { uid: 1000, gid: 1000 } } });
    expect(exitCode).not.toBe(0);
    expect(owners).toEqual({});
  });
});
