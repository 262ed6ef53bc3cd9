import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { chrootSandbox } from '../../src/sandbox/chroot-sandbox.js';
import { prootSandbox } from '../../src/sandbox/proot-sandbox.js';
import type { RunRequest, RunResult, Sandbox } from '../../src/sandbox/sandbox.js';
import { busyboxRoot } from '../support/busybox-root.js';
import { describeWith } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';

interface Ran extends RunResult {
  readonly stdout: string;
  readonly stderr: string;
}

const kinds = [
  { name: 'proot', create: prootSandbox, programs: ['proot', 'perl', 'busybox', 'root'] },
  { name: 'chroot', create: chrootSandbox, programs: ['perl', 'busybox', 'root'] },
] as const;

for (const { name, create, programs } of kinds) {
  describeWith(programs, `the ${name} sandbox`, () => {
    let folder: string;
    let root: string;
    let sandbox: Sandbox;

    beforeAll(async () => {
      folder = await tempDir();
      root = await busyboxRoot(folder);
      const scratch = join(folder, 'scratch');
      await mkdir(scratch);
      sandbox = create({ scratch, searchPath: '/usr/bin:/bin', uid: 0 });
    });

    async function run(command: string, options: Partial<RunRequest> = {}): Promise<Ran> {
      const written = { stdout: '', stderr: '' };
      const result = await sandbox.run({
        root: { kind: 'directory', path: root },
        argv: ['/bin/sh', '-c', command],
        env: ['PATH=/bin'],
        cwd: '/',
        user: { uid: 0, gid: 0, groups: [] },
        hostname: 'builder',
        network: 'default',
        extraHosts: [],
        mounts: [],
        limits: [],
        security: 'sandbox',
        input: 'none',
        onOutput: (stream, chunk) => {
          written[stream] += String(Buffer.from(chunk));
        },
        ...options,
      });
      expect(await readdir(join(folder, 'scratch'))).toEqual([]);
      return { ...result, ...written };
    }

    it('runs a shell and hands over its status and output', async () => {
      const ran = await run('echo out; echo err >&2; exit 3');
      expect(ran).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
      expect(ran.killedBy).toBeUndefined();
    });

    it('names the signal that ended it', async () => {
      expect(await run('kill -9 $$')).toMatchObject({ exitCode: 137, killedBy: 'SIGKILL' });
    });

    it('says like a shell that a program is not there', async () => {
      expect(await run('', { argv: ['nothing-like-this'] })).toMatchObject({ exitCode: 127 });
      await writeFile(join(root, 'plain'), 'text');
      expect(await run('', { argv: ['/plain'] })).toMatchObject({ exitCode: 126 });
    });

    it('gives exactly the environment that is asked for, in its order', async () => {
      const env = [
        'Z=1',
        'PATH=/bin',
        'LD_PRELOAD=/nothing.so',
        'BASH_ENV=/x',
        'A=two\nlines',
        'odd.name=3',
        'PROOT_NO_SECCOMP=7',
      ];
      const { stdout } = await run('', { argv: ['env'], env });
      expect(stdout).toBe(`${env.join('\n')}\n`);
    });

    it('has an output that can be opened by name', async () => {
      if (name === 'chroot') return;
      const ran = await run('echo a >/dev/stderr; echo b >/dev/stdout; echo c >>/proc/self/fd/2');
      expect(ran).toMatchObject({ exitCode: 0, stdout: 'b\n', stderr: 'a\nc\n' });
    });

    it('has nothing to read', async () => {
      expect(await run('cat | wc -c')).toMatchObject({ stdout: '0\n' });
    });

    it('makes the folder that it starts in', async () => {
      const { stdout } = await run('pwd', { cwd: '/srv/deep' });
      expect(stdout).toBe('/srv/deep\n');
      expect((await lstat(join(root, 'srv/deep'))).isDirectory()).toBe(true);
    });

    it('runs as a user', async () => {
      const user = { uid: 1000, gid: 1000, groups: [] };
      expect(await run('id -u; id -g; touch /tmp/mine', { user })).toMatchObject({ stdout: '1000\n1000\n' });
    });

    it('keeps modes and links', async () => {
      await run('touch /s; chmod 4755 /s; mkdir -m 1777 /sticky; ln /s /hard; ln -s s /soft; mkfifo /pipe');
      const [file, hard, folder_] = await Promise.all(['s', 'hard', 'sticky'].map(path => lstat(join(root, path))));
      expect(file!.mode & 0o7777).toBe(0o4755);
      expect(hard!.ino).toBe(file!.ino);
      expect(folder_!.mode & 0o7777).toBe(0o1777);
      expect((await lstat(join(root, 'pipe'))).isFIFO()).toBe(true);
    });

    it('shows devices, hosts and the resolver, and leaves nothing of them', async () => {
      const before = await lstat(join(root, 'etc'));
      const command =
        'ls /dev; echo x >/dev/null; head -c 2 /dev/zero | wc -c; cat /etc/hosts; test -e /etc/resolv.conf';
      const { stdout, exitCode } = await run(command, { extraHosts: [{ host: 'db', address: '10.0.0.7' }] });
      expect(exitCode).toBe(0);
      expect(stdout.split('\n')).toEqual(expect.arrayContaining(['null', 'urandom', 'shm', '2', '10.0.0.7\tdb']));
      const names = await readdir(root);
      expect(names).not.toContain('dev');
      expect(names).not.toContain('proc');
      expect(await readdir(join(root, 'etc'))).toEqual(['group', 'passwd']);
      expect((await lstat(join(root, 'etc'))).mtimeMs).toBe(before.mtimeMs);
    });

    it('shows a folder that is only read, and keeps its source as it is', async () => {
      const source = join(folder, 'source');
      await mkdir(source, { recursive: true });
      await writeFile(join(source, 'file'), 'content');
      const mounts = [{ type: 'bind', source, target: '/mnt/source', readOnly: true }] as const;
      const command =
        'cat /mnt/source/file; echo no >/mnt/source/file; touch /mnt/source/new; chmod 777 /mnt/source/file; rm /mnt/source/file';
      const { stdout } = await run(command, { mounts });
      expect(stdout).toBe('content');
      expect(await readdir(source)).toEqual(['file']);
      expect(await readFile(join(source, 'file'), 'utf8')).toBe('content');
      expect((await lstat(join(source, 'file'))).mode & 0o777).toBe(0o644);
      expect(await readdir(root)).not.toContain('mnt');
    });

    it('keeps what is written to a mount, or refuses', async () => {
      const source = join(folder, 'cache');
      await mkdir(source, { recursive: true });
      const mounts = [{ type: 'bind', source, target: '/cache', readOnly: false }] as const;
      const ran = run('echo kept >/cache/file', { mounts });
      if (name === 'chroot') {
        await expect(ran).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
        return;
      }
      await ran;
      expect(await readFile(join(source, 'file'), 'utf8')).toBe('kept\n');
      expect(await readdir(root)).not.toContain('cache');
    });

    it('has an empty folder that goes again', async () => {
      await mkdir(join(root, 'opt'), { recursive: true });
      await writeFile(join(root, 'opt/there'), '');
      const mounts = [{ type: 'tmpfs', target: '/opt', readOnly: false }] as const;
      expect(await run('ls /opt; touch /opt/gone; ls /opt', { mounts })).toMatchObject({ stdout: 'gone\n' });
      expect(await readdir(join(root, 'opt'))).toEqual(['there']);
    });

    it('reaches no file of this machine', async () => {
      const secret = join(folder, 'secret');
      await writeFile(secret, 'of the host');
      await symlink(secret, join(root, 'leak'));
      await symlink('../../../../../../../../../../', join(root, 'up'));
      expect(await run(`ln ${secret} /stolen`)).not.toMatchObject({ exitCode: 0 });
      const ways = [
        `/leak`,
        `/up${secret}`,
        `/../..${secret}`,
        `/proc/self/root${secret}`,
        `/proc/1/root${secret}`,
        `/proc/self/cwd/../..${secret}`,
      ];
      for (const way of ways) {
        const { stdout, exitCode } = await run(`cat '${way}'`);
        expect(stdout, way).toBe('');
        expect(exitCode, way).not.toBe(0);
      }
    });

    it('reaches neither the network nor this machine without one', async () => {
      const server = createServer(socket => socket.end('hello'));
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      const ask = `nc 127.0.0.1 ${port} </dev/null`;
      try {
        expect(await run(ask, { network: 'none' })).not.toMatchObject({ exitCode: 0 });
        expect(await run(ask)).toMatchObject({ stdout: 'hello' });
      } finally {
        server.close();
      }
    });

    it('limits resources', async () => {
      const limits = [{ name: 'nofile', soft: 77, hard: 88 }];
      expect(await run('ulimit -S -n; ulimit -H -n', { limits })).toMatchObject({ stdout: '77\n88\n' });
      await expect(run('true', { limits: [{ name: 'nonsense', soft: 1, hard: 1 }] })).rejects.toMatchObject({
        code: 'INVALID_VALUE',
      });
    });

    it('leaves no process behind', async () => {
      const seconds = 1000 + Math.floor(Math.random() * 100_000);
      const ran = await run(
        `sleep ${seconds} & setsid sleep ${seconds} & (setsid sh -c 'sleep ${seconds} &' &); sleep 0.2; echo done`,
      );
      expect(ran).toMatchObject({ exitCode: 0, stdout: 'done\n' });
      expect(await processes(`${seconds}`)).toEqual([]);
    });

    it('ends when it is told to, with everything', async () => {
      const seconds = 1000 + Math.floor(Math.random() * 100_000);
      const reason = new Error('enough');
      const abort = new AbortController();
      const onOutput = (): void => abort.abort(reason);
      const command = `trap '' TERM INT; sleep ${seconds} & setsid sleep ${seconds} & echo started; sleep ${seconds}`;
      await expect(run(command, { signal: abort.signal, onOutput })).rejects.toBe(reason);
      expect(await processes(`${seconds}`)).toEqual([]);
      expect(await readdir(join(folder, 'scratch'))).toEqual([]);
    });
  });
}

/** Command lines of this machine's processes that have an argument. */
async function processes(argument: string): Promise<string[]> {
  const lines = await Promise.all(
    (await readdir('/proc'))
      .filter(entry => /^\d+$/.test(entry))
      .map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter(line => line.split('\0').includes(argument));
}
