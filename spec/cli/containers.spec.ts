import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { busyboxRoot } from '../support/busybox-root.js';
import { describeWith, patience } from '../support/programs.js';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

describeWith(['root', 'perl', 'busybox'], 'containers', () => {
  let cwd: string;
  /** Programs are found as the user has them. */
  const env = () => ({ LADING_ROOT: join(cwd, 'store'), PATH: process.env['PATH'] });
  const lading = (...argv: string[]): Promise<string> => cli(argv, { cwd, env: env() });
  const tried = (...argv: string[]) => runCli(argv, { cwd, env: env() });

  beforeEach(async () => {
    cwd = await tempDir();
    await mkdir(join(cwd, 'app'));
    await busyboxRoot(join(cwd, 'app'));
    await writeFile(
      join(cwd, 'app', 'Dockerfile'),
      'FROM scratch\nCOPY root /\nENV PATH=/bin A=1\nCMD ["sh", "-c", "echo by default $A"]\n',
    );
    await lading('build', '-q', '-t', 'base', 'app');
  }, patience);

  it(
    'run, change files, are looked at, and become images that run',
    async () => {
      expect(await lading('run', '--rm', '--pull', 'never', 'base')).toBe('by default 1\n');
      expect(await lading('ps', '-aq')).toBe('');
      const first = await tried(
        'run',
        '--name',
        'edit',
        'base',
        'sh',
        '-c',
        'echo hi >/new; rm /bin/true; echo out; echo err >&2; exit 3',
      );
      expect([first.code, first.stdout, first.stderr]).toEqual([3, 'out\n', 'err\n']);
      expect(await lading('ps', '-a')).toMatch(/base +"sh -c .*Exited \(3\).*edit/);
      expect(await lading('ps')).not.toContain('edit');
      const changes = await lading('diff', 'edit');
      expect(changes).toContain('A /new\n');
      expect(changes).toContain('D /bin/true\n');
      expect(changes).toContain('C /bin\n');
      expect(changes).not.toContain('/bin/sh\n');
      expect(await lading('logs', 'edit')).toBe('out\n');
      expect((await tried('logs', 'edit')).stderr).toBe('err\n');

      const commit = ['commit', '-m', 'add a file', '-a', 'me', '-c', 'CMD ["cat", "/new"]', '-c', 'ENV B=2', 'edit'];
      const digest = await lading(...commit, 'changed:1');
      expect(await lading(...commit, 'changed:2')).toBe(digest);
      expect(await lading('run', '--rm', 'changed:1')).toBe('hi\n');
      expect(await lading('run', '--rm', 'changed:1', 'sh', '-c', 'echo $A$B')).toBe('12\n');
      expect(await lading('history', 'changed:1')).toContain('add a file');
      await lading('inspect', '--verify', 'changed:1');

      // What it has left is there when it runs again.
      expect((await tried('run', '--name', 'edit', 'base')).code).toBe(2);
      expect((await tried('start', '-a', 'edit')).code).toBe(3);
      await lading('rm', 'edit');
      expect((await tried('diff', 'edit')).stderr).toContain('[CONTAINER_NOT_FOUND]');
      expect((await lading('fsck')).length).toBeGreaterThan(0);
    },
    patience,
  );

  it(
    'have what they are given',
    async () => {
      await mkdir(join(cwd, 'shared'));
      await writeFile(join(cwd, 'shared', 'in'), 'from outside');
      const command = 'cat in; echo made >out; echo; id -u; pwd; hostname; echo $A $C; touch /ro/x || echo refused';
      const stdout = await lading(
        ...['run', '--rm', '-v', './shared:/work', '-v', './shared:/ro:ro', '-w', '/work', '-e', 'A=9', '-e', 'C=3'],
        ...['--hostname', 'boat', '--entrypoint', 'sh', 'base', '-c', command],
      );
      expect(stdout).toBe('from outside\n0\n/work\nboat\n9 3\nrefused\n');
      expect(await readFile(join(cwd, 'shared', 'out'), 'utf8')).toBe('made\n');
      const user = await lading('run', '--rm', '-u', '7:8', 'base', 'sh', '-c', 'id -u; id -g');
      expect(user).toBe('7\n8\n');
      const readOnly = await tried(
        'run',
        '--rm',
        '--read-only',
        '--tmpfs',
        '/tmp',
        'base',
        'sh',
        '-c',
        'touch /tmp/a && touch /b',
      );
      expect(readOnly.code).not.toBe(0);
      expect((await tried('run', '--rm', 'base', 'no-such-program')).code).toBe(127);
      expect((await tried('run', '--rm', 'base', '--', 'ls')).code).toBe(127);
    },
    patience,
  );

  it(
    'take files and give them',
    async () => {
      await lading('run', '--name', 'box', 'base', 'sh', '-c', 'mkdir -p /a/b; echo 1 >/a/b/c; ln -s b /a/link');
      await mkdir(join(cwd, 'site'));
      await writeFile(join(cwd, 'site', 'index'), 'page');
      await lading('cp', 'site', 'box:/a');
      await lading('cp', 'site/.', 'box:/a/b');
      await lading('cp', 'site/index', 'box:/a/other');
      expect(await lading('diff', 'box')).toContain('A /a/site/index\n');
      await lading('commit', 'box', 'filled');
      // No Dockerfile made it, and nobody has said anything.
      expect(JSON.parse(await lading('history', '--json', 'filled'))[0].comment).toBeUndefined();
      const list = 'cd /a; cat site/index b/index other b/c';
      expect(await lading('run', '--rm', 'filled', 'sh', '-c', list)).toBe('pagepagepage1\n');
      await lading('cp', 'box:/a', 'out');
      expect((await readdir(join(cwd, 'out'), { recursive: true })).sort()).toContain('b/c');
      await mkdir(join(cwd, 'into'));
      await lading('cp', 'box:/a/b/c', 'into');
      expect(await readFile(join(cwd, 'into', 'c'), 'utf8')).toBe('1\n');
      await lading('cp', 'box:/a/b/.', 'into');
      expect((await readdir(join(cwd, 'into'))).sort()).toEqual(['c', 'index']);
      const tar = await tried('cp', 'box:/a/b', '-');
      expect(Buffer.from(tar.bytes).toString('latin1')).toContain('b/index');
      await lading('export', '-o', 'all.tar', 'box');
      expect((await readFile(join(cwd, 'all.tar'))).toString('latin1')).toContain('a/site/index');
      expect((await tried('cp', 'box:/none', '.')).stderr).toContain('[PATH_NOT_FOUND]');
      expect((await tried('cp', 'site', 'box:/none/x')).stderr).toContain('[PATH_NOT_FOUND]');
      expect((await tried('cp', 'site', 'other')).code).toBe(2);
    },
    patience,
  );

  it(
    'run by themselves, are stopped, and keep what they have changed',
    async () => {
      const id = (
        await lading(
          'run',
          '-d',
          '--name',
          'server',
          'base',
          'sh',
          '-c',
          'trap "echo bye; exit 0" TERM; echo up; touch /made; while :; do sleep 0.05; done',
        )
      ).trim();
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      expect(await lading('ps')).toMatch(/Up (?:less than a second|\d+ seconds?) .*server/);
      expect((await tried('diff', 'server')).code).toBe(2);
      expect((await tried('rm', 'server')).code).toBe(2);
      for (let i = 0; i < 100 && (await lading('logs', 'server')) === ''; i++) await sleep(50);
      await lading('stop', id.slice(0, 10));
      expect(await lading('logs', 'server')).toBe('up\nbye\n');
      expect(await lading('ps', '-a')).toContain('Exited (0)');
      expect(await lading('diff', 'server')).toContain('A /made\n');
      await lading('start', 'server');
      await lading('stop', 'server');
      await lading('rm', '-f', 'server');
      expect(await lading('ps', '-aq')).toBe('');
    },
    patience,
  );

  it(
    'stay whole when the store is pruned',
    async () => {
      await lading('run', '--name', 'kept', 'base', 'sh', '-c', 'echo kept >/file');
      await lading('rmi', 'base');
      await lading('prune', '--all', '--cache');
      await lading('commit', 'kept', 'again');
      expect(await lading('run', '--rm', 'again', 'cat', '/file')).toBe('kept\n');
    },
    patience,
  );
});
