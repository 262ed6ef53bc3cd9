/**
 * What every way of running processes must do, as plain cases: they assert with Node alone, so that they run in the
 * tests and, bundled into one file, in containers where there is nothing but Node.
 */
import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeFiles } from '../../src/layer/remove-files.js';
import type { RootFileSystem, RunRequest, RunResult, Sandbox } from '../../src/sandbox/sandbox.js';
import { busyboxRoot } from './busybox-root.js';

export interface Ran extends RunResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** What not every tier can do; a case that needs it is left out for those that say that they lack it. */
export type Ability =
  /** Mounts that keep what is written. */
  | 'writable mounts'
  /** Mounts in folders that are mounted. */
  | 'mounts in mounts'
  /** Files of this machine cannot be seen because they are not there, not because they are kept from view. */
  | 'namespaces'
  /** Users other than the builder's have their own rights. */
  | 'users'
  /** A root that cannot be changed. */
  | 'read-only roots'
  /** Sizes of file systems in memory. */
  | 'sizes'
  | 'network'
  /** `/proc` is there, and with it `/dev/stdout` can be opened. */
  | 'proc'
  /** Signals are told from statuses, and programs that cannot be started have the statuses of a shell. */
  | 'fine statuses'
  | 'devices';

export interface SandboxUnderTest {
  readonly sandbox: Sandbox;
  readonly root: RootFileSystem['kind'];
  readonly lacks?: ReadonlySet<Ability> | undefined;
}

/** A root of its own for one case. */
export interface SandboxBox {
  readonly sandbox: Sandbox;
  /** A folder for what is to be mounted, and the like. */
  readonly folder: string;
  /** Where the files are that the root begins with. */
  readonly base: string;
  /** Runs a command of the shell. */
  run(command: string, options?: Partial<RunRequest>): Promise<Ran>;
  /** What the runs have changed, by path, sorted: for a folder that is the root, what is there and was not. */
  changed(): Promise<readonly string[]>;
  /** Where a changed file is on this machine. */
  path(name: string): string;
}

export interface SandboxCase {
  readonly title: string;
  readonly needs?: readonly Ability[] | undefined;
  readonly test: (box: SandboxBox) => Promise<void>;
}

/** Runs one case in a root of its own. */
export async function runSandboxCase({ test }: SandboxCase, { sandbox, root: kind }: SandboxUnderTest): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-sandbox-'));
  try {
    const base = await busyboxRoot(folder);
    for (const name of ['upper', 'work']) await mkdir(join(folder, name));
    const root: RootFileSystem =
      kind === 'directory'
        ? { kind, path: base }
        : { kind, lower: [base], upper: join(folder, 'upper'), work: join(folder, 'work'), lasting: false };
    const place = root.kind === 'directory' ? root.path : root.upper;
    const before = new Set(await list(place));
    await test({
      sandbox,
      folder,
      base,
      run: async (command, options = {}) => run(sandbox, await withEmptyWork(root), command, options),
      changed: async () => (await list(place)).filter(name => !before.has(name)),
      path: name => join(place, name),
    });
  } finally {
    // What an overlay has worked in is closed to those who are not root.
    await removeFiles(folder);
  }
}

/** What an overlay works in belongs to one process. */
async function withEmptyWork(root: RootFileSystem): Promise<RootFileSystem> {
  return root.kind === 'overlay' ? { ...root, work: await mkdtemp(join(root.work, 'of-')) } : root;
}

async function list(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

async function run(
  sandbox: Sandbox,
  root: RootFileSystem,
  command: string,
  options: Partial<RunRequest>,
): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const result = await sandbox.run({
    root,
    argv: ['/bin/sh', '-c', command],
    env: ['PATH=/bin'],
    cwd: '/',
    user: { uid: 0, gid: 0, groups: [] },
    hostname: 'builder',
    network: 'none',
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
  return { ...result, ...written };
}

/** Command lines of this machine's processes that have an argument. */
export async function processesWith(argument: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(entry => /^\d+$/.test(entry));
  const lines = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter(line => line.split('\0').some(part => part.includes(argument)));
}

export function uniqueSeconds(): number {
  return 100_000 + Math.floor(Math.random() * 1_000_000);
}

export async function listening(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(socket => socket.end('hello'));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as { port: number }).port };
}

export const sandboxCases: readonly SandboxCase[] = [
  {
    title: 'runs a program and hands over its status and output',
    test: async ({ run }) => {
      const ran = await run('echo out; echo err >&2; exit 3');
      assert.deepEqual([ran.exitCode, ran.killedBy, ran.stdout, ran.stderr], [3, undefined, 'out\n', 'err\n']);
      const { stdout } = await run('', { argv: ['printf', '[%s]', 'a b', '', '$x', '--', '*'] });
      assert.equal(stdout, '[a b][][$x][--][*]');
    },
  },
  {
    title: 'names the signal that ended it, and tells it from a status',
    needs: ['fine statuses'],
    test: async ({ run }) => {
      for (const [name, number] of [
        ['KILL', 9],
        ['TERM', 15],
        ['SEGV', 11],
        ['INT', 2],
      ] as const) {
        const { exitCode, killedBy } = await run(`kill -${name} $$`);
        assert.deepEqual({ exitCode, killedBy }, { exitCode: 128 + number, killedBy: `SIG${name}` });
      }
      const ran = await run('exit 137');
      assert.deepEqual([ran.exitCode, ran.killedBy], [137, undefined]);
    },
  },
  {
    title: 'says like a shell that a program cannot be started',
    needs: ['fine statuses'],
    test: async ({ run, base }) => {
      assert.equal((await run('', { argv: ['nothing-like-this'] })).exitCode, 127);
      await writeFile(join(base, 'plain'), 'text');
      assert.equal((await run('', { argv: ['/plain'] })).exitCode, 126);
    },
  },
  {
    title: 'gives exactly the environment that is asked for',
    test: async ({ run }) => {
      const env = [
        ...['PATH=/bin', 'LD_PRELOAD=/nothing.so', 'BASH_ENV=/x', 'ENV=/x', 'A=two\nlines', 'odd.name=3', 'a-b=4'],
        ...[
          'PROOT_NO_SECCOMP=7',
          'HOME=/x',
          'GLIBC_TUNABLES=x',
          'EMPTY=',
          'SHLVL=9',
          'PWD=/x',
          'IFS=a',
          'BASH_FUNC_mount%%=() { :; }',
        ],
      ];
      const { stdout } = await run('', { argv: ['env'], env });
      assert.deepEqual(
        stdout
          .trimEnd()
          .split(/\n(?=[^=\n]+=)/)
          .sort(),
        [...env].sort(),
      );
    },
  },
  {
    title: 'needs no program of the root to set variables that programs of this machine must not see',
    needs: ['namespaces'],
    test: async ({ run, base }) => {
      await rm(join(base, 'bin/env'));
      assert.equal((await run('echo $A', { env: ['PATH=/bin', 'A=1', 'LD_PRELOAD=/x'] })).stdout, '1\n');
    },
  },
  {
    title: 'steers no program of this machine by the environment',
    test: async ({ run, folder }) => {
      const trap = join(folder, 'trap');
      await writeFile(trap, `echo caught >${join(folder, 'caught')}\n`);
      await run('true', {
        env: ['PATH=/bin', `BASH_ENV=${trap}`, `ENV=${trap}`, `LD_PRELOAD=${trap}`, `LD_LIBRARY_PATH=${folder}`],
      });
      assert.ok(!(await readdir(folder)).includes('caught'));
    },
  },
  {
    title: 'has nothing to read',
    test: async ({ run }) => assert.equal((await run('cat | wc -c')).stdout.trim(), '0'),
  },
  {
    title: 'hands over all output, in order, however much it is',
    test: async ({ run }) => {
      const ran = await run('seq 1 200000; seq 1 50000 >&2');
      const numbers = (count: number): string => Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('');
      assert.ok(ran.stdout === numbers(200_000));
      assert.ok(ran.stderr === numbers(50_000));
    },
  },
  {
    title: 'waits for whoever takes the output',
    test: async ({ run }) => {
      let busy = 0;
      let most = 0;
      let bytes = 0;
      await run('head -c 3000000 /dev/zero', {
        onOutput: async (_, chunk) => {
          busy += 1;
          most = Math.max(most, busy);
          bytes += chunk.length;
          await new Promise(resolve => setTimeout(resolve, 1));
          busy -= 1;
        },
      });
      assert.deepEqual([most, bytes], [1, 3_000_000]);
    },
  },
  {
    title: 'has an output that can be opened by name',
    needs: ['proc'],
    test: async ({ run }) => {
      const ran = await run('echo a >/dev/stderr; echo b >/dev/stdout; echo c >>/proc/self/fd/2');
      assert.deepEqual([ran.exitCode, ran.stdout, ran.stderr], [0, 'b\n', 'a\nc\n']);
    },
  },
  {
    title: 'makes the folder that it starts in',
    test: async ({ run, path }) => {
      assert.equal((await run('pwd', { cwd: '/srv/deep' })).stdout, '/srv/deep\n');
      assert.equal((await lstat(path('srv/deep'))).mode & 0o7777, 0o755);
    },
  },
  {
    title: 'makes files with the usual mask',
    test: async ({ run, path }) => {
      await run('touch /file; mkdir /folder');
      assert.equal((await lstat(path('file'))).mode & 0o7777, 0o644);
      assert.equal((await lstat(path('folder'))).mode & 0o7777, 0o755);
    },
  },
  {
    title: 'runs as a user with groups',
    needs: ['users'],
    test: async ({ run }) => {
      const user = { uid: 1000, gid: 1000, groups: [7, 12] };
      const ran = await run(
        'id -u; id -g; id -G; touch /tmp/mine && echo made; touch /etc/not 2>/dev/null || echo refused',
        { user },
      );
      assert.equal(ran.stdout, '1000\n1000\n1000 7 12\nmade\nrefused\n');
    },
  },
  {
    title: 'has the name that it is given',
    needs: ['namespaces'],
    test: async ({ run }) => assert.equal((await run('hostname', { hostname: 'a-name' })).stdout, 'a-name\n'),
  },
  {
    title: 'leaves /etc/hostname to the root',
    test: async ({ run, base, path }) => {
      await writeFile(join(base, 'etc/hostname'), 'before\n');
      assert.equal((await run('cat /etc/hostname; echo after > /etc/hostname')).stdout, 'before\n');
      assert.equal(await readFile(path('etc/hostname'), 'utf8'), 'after\n');
    },
  },
  {
    title: 'shows its name in /etc/hostname when that is asked for',
    needs: ['namespaces'],
    test: async ({ run, base }) => {
      await writeFile(join(base, 'etc/hostname'), 'before\n');
      const request = { hostname: 'a-name', hostnameFile: true };
      assert.equal((await run('cat /etc/hostname; echo lost > /etc/hostname', request)).stdout, 'a-name\n');
      assert.equal(await readFile(join(base, 'etc/hostname'), 'utf8'), 'before\n');
    },
  },
  {
    title: 'shows hosts, the resolver and devices, and leaves nothing of them',
    test: async ({ run, changed, base }) => {
      const before = await lstat(join(base, 'etc'), { bigint: true });
      const command =
        'cat /etc/hosts; test -e /etc/resolv.conf || exit 5; echo x >/dev/null; head -c 2 /dev/zero | wc -c; ls /dev; ls -d /dev/shm';
      const ran = await run(command, { extraHosts: [{ host: 'db', address: '10.0.0.7' }], network: 'default' });
      assert.equal(ran.exitCode, 0);
      const lines = ran.stdout.split('\n').map(line => line.trim());
      for (const line of [
        '10.0.0.7\tdb',
        '2',
        'null',
        'zero',
        'full',
        'random',
        'urandom',
        'tty',
        'shm',
        'fd',
        'stdout',
      ]) {
        assert.ok(lines.includes(line), line);
      }
      const names = await changed();
      assert.deepEqual(
        names.filter(name => !['dev', 'proc', 'sys', 'etc'].includes(name)),
        [],
      );
      assert.equal((await lstat(join(base, 'etc'), { bigint: true })).mtimeNs, before.mtimeNs);
    },
  },
  {
    title: 'leaves a folder that was changed the time of that',
    test: async ({ run, path }) => {
      await run('touch /etc/new; touch -d @1000000000 /etc');
      assert.equal((await lstat(path('etc'))).mtimeMs, 1_000_000_000_000);
    },
  },
  {
    title: 'follows links of the root inside the root where something is mounted',
    test: async ({ run, base, folder }) => {
      await mkdir(join(base, 'run'));
      await symlink('/run/resolver', join(base, 'etc/resolv.conf'));
      await symlink('../../../../../..', join(base, 'up'));
      await symlink(folder, join(base, 'out'));
      const source = join(folder, 'source');
      await writeFile(source, 'content');
      const before = (await readdir(folder)).sort();
      const mounts = ['/up/a', '/out/b', '/up/../up/c'].map(
        target => ({ type: 'bind', source, target, readOnly: true }) as const,
      );
      const ran = await run(`cat /a /c ${join(folder, 'b')}; test -f /run/resolver`, { mounts });
      assert.deepEqual([ran.exitCode, ran.stdout], [0, 'contentcontentcontent']);
      assert.deepEqual((await readdir(folder)).sort(), before);
    },
  },
  {
    title: 'shows a folder that is only read, and keeps its source as it is',
    test: async ({ run, folder, changed }) => {
      const source = join(folder, 'source');
      await mkdir(source);
      await writeFile(join(source, 'file'), 'content');
      const mounts = [{ type: 'bind', source, target: '/mnt/source', readOnly: true }] as const;
      const command =
        'cat /mnt/source/file; echo no >/mnt/source/file; touch /mnt/source/new; chmod 777 /mnt/source/file; rm /mnt/source/file';
      assert.equal((await run(command, { mounts })).stdout, 'content');
      assert.deepEqual(await readdir(source), ['file']);
      assert.equal(await readFile(join(source, 'file'), 'utf8'), 'content');
      assert.equal((await lstat(join(source, 'file'))).mode & 0o777, 0o644);
      assert.ok(!(await changed()).some(name => name.startsWith('mnt')));
    },
  },
  {
    title: 'keeps what is written to a mount',
    needs: ['writable mounts'],
    test: async ({ run, folder, changed }) => {
      const source = join(folder, 'cache');
      await mkdir(source);
      await run('echo kept >/cache/file', { mounts: [{ type: 'bind', source, target: '/cache', readOnly: false }] });
      assert.equal(await readFile(join(source, 'file'), 'utf8'), 'kept\n');
      assert.ok(!(await changed()).some(name => name.startsWith('cache')));
    },
  },
  {
    title: 'mounts files, and one mount in another, in their order',
    needs: ['mounts in mounts'],
    test: async ({ run, folder, changed }) => {
      const outer = join(folder, 'outer');
      await mkdir(join(outer, 'inner'), { recursive: true });
      await writeFile(join(outer, 'inner/hidden'), '');
      const file = join(folder, 'file');
      await writeFile(file, 'secret');
      const mounts = [
        { type: 'bind', source: outer, target: '/o', readOnly: true },
        { type: 'tmpfs', target: '/o/inner', readOnly: false },
        { type: 'bind', source: file, target: '/o/inner/deep/file', readOnly: true },
        { type: 'bind', source: file, target: '/run/secrets/x', readOnly: true },
      ] as const;
      const ran = await run('ls /o/inner; cat /o/inner/deep/file /run/secrets/x', { mounts });
      assert.equal(ran.stdout, 'deep\nsecretsecret');
      assert.deepEqual(await readdir(join(outer, 'inner')), ['hidden']);
      assert.deepEqual(
        (await changed()).filter(name => /^(?:o|run)/.test(name)),
        [],
      );
    },
  },
  {
    title: 'mounts a socket',
    test: async ({ run, folder }) => {
      const path = join(folder, 'agent.sock');
      const server = createServer(socket => socket.end('hello'));
      await new Promise<void>(resolve => server.listen(path, resolve));
      try {
        const mounts = [{ type: 'bind', source: path, target: '/run/agent.sock', readOnly: true }] as const;
        assert.equal((await run('test -S /run/agent.sock && echo yes', { mounts })).stdout, 'yes\n');
      } finally {
        server.close();
      }
    },
  },
  {
    title: 'has an empty folder in memory that goes again',
    test: async ({ run, base }) => {
      await mkdir(join(base, 'opt'));
      await writeFile(join(base, 'opt/there'), '');
      const mounts = [{ type: 'tmpfs', target: '/opt', readOnly: false }] as const;
      assert.equal((await run('ls /opt; touch /opt/gone; ls /opt', { mounts })).stdout, 'gone\n');
      assert.deepEqual(await readdir(join(base, 'opt')), ['there']);
    },
  },
  {
    title: 'gives a folder in memory the mode that is asked for',
    test: async ({ run, base }) => {
      await mkdir(join(base, 'opt'));
      await chmod(join(base, 'opt'), 0o750);
      const at = (target: string, mode?: number) => ({ type: 'tmpfs', target, mode, readOnly: false }) as const;
      const mounts = [at('/opt', 0o750), at('/new', 0o1755), at('/open')];
      assert.equal((await run('stat -c %a /opt /new /open', { mounts })).stdout, '750\n1755\n1777\n');
    },
  },
  {
    title: 'limits what is in memory',
    needs: ['sizes'],
    test: async ({ run }) => {
      const mounts = [{ type: 'tmpfs', target: '/small', sizeBytes: 65_536, readOnly: false }] as const;
      const fill = (path: string): string =>
        `head -c 200000 /dev/zero >${path}/x 2>/dev/null && echo all || echo part;`;
      const ran = await run(`${fill('/small')} ${fill('/dev/shm')}`, { mounts, shmSizeBytes: 65_536 });
      assert.equal(ran.stdout, 'part\npart\n');
      assert.equal((await run(fill('/dev/shm'))).stdout, 'all\n');
    },
  },
  {
    title: 'keeps the root as it is when it is only to be read',
    needs: ['read-only roots'],
    test: async ({ run }) => {
      const mounts = [{ type: 'tmpfs', target: '/tmp', readOnly: false }] as const;
      const ran = await run('touch /x 2>/dev/null || echo refused; touch /tmp/x && echo made', {
        readOnly: true,
        mounts,
      });
      assert.equal(ran.stdout, 'refused\nmade\n');
    },
  },
  {
    title: 'keeps modes, links and fifos',
    test: async ({ run, path }) => {
      await run('touch /s; chmod 4755 /s; mkdir -m 1777 /sticky; ln /s /hard; ln -s s /soft; mkfifo /pipe');
      const [file, hard, sticky, pipe] = await Promise.all(
        ['s', 'hard', 'sticky', 'pipe'].map(name => lstat(path(name))),
      );
      assert.equal(file!.mode & 0o7777, 0o4755);
      assert.equal(hard!.ino, file!.ino);
      assert.equal(sticky!.mode & 0o7777, 0o1777);
      assert.ok(pipe!.isFIFO());
    },
  },
  {
    title: 'limits resources',
    test: async ({ run }) => {
      const limits = [{ name: 'nofile', soft: 77, hard: 88 }];
      assert.equal((await run('ulimit -S -n; ulimit -H -n', { limits })).stdout, '77\n88\n');
      const nonsense = run('true', { limits: [{ name: 'nonsense', soft: 1, hard: 1 }] });
      await assert.rejects(nonsense, { code: 'INVALID_VALUE' });
    },
  },
  {
    title: 'reaches neither the network nor this machine without one',
    needs: ['network'],
    test: async ({ run }) => {
      const { server, port } = await listening();
      const ask = `nc 127.0.0.1 ${port} </dev/null`;
      try {
        assert.notEqual((await run(ask, { network: 'none' })).exitCode, 0);
        assert.equal((await run(ask, { network: 'host' })).stdout, 'hello');
        // Its own loopback is there and up, and nothing else.
        const own = await run('ls /sys/class/net; cat /sys/class/net/lo/flags', { network: 'none' });
        assert.equal(own.stdout, 'lo\n0x9\n');
      } finally {
        server.close();
      }
    },
  },
  {
    title: 'reaches no file of this machine',
    test: async ({ run, base, folder }) => {
      const secret = join(folder, 'secret');
      await writeFile(secret, 'of the host');
      await symlink(secret, join(base, 'leak'));
      await symlink('../../../../../../../../../../', join(base, 'up'));
      assert.notEqual((await run(`ln ${secret} /stolen`)).exitCode, 0);
      const ways = [
        ...['/leak', `/up${secret}`, `/../..${secret}`, `/proc/self/root${secret}`, `/proc/1/root${secret}`],
        ...[`/proc/self/cwd/../..${secret}`, `/proc/1/cwd/../../../../../..${secret}`],
      ];
      for (const way of ways) {
        const { stdout, exitCode } = await run(`cat '${way}'`);
        assert.equal(stdout, '', way);
        assert.notEqual(exitCode, 0, way);
      }
    },
  },
  {
    title: 'sees no process of this machine',
    needs: ['namespaces'],
    test: async ({ run }) => {
      const seen = await run(`cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '`);
      assert.ok(!seen.stdout.includes('node'), seen.stdout);
    },
  },
  {
    title: 'looks into no process of this machine, and changes none',
    test: async ({ run }) => {
      const own = `/proc/${process.pid}`;
      const ways = [`cat ${own}/environ`, `cat ${own}/fd/0 </dev/null`, `ls ${own}/root/`, `head -c 1 ${own}/mem`];
      for (const way of ways) {
        const { stdout, exitCode } = await run(way);
        assert.deepEqual([stdout, exitCode === 0], ['', false], way);
      }
    },
  },
  {
    title: 'does not leave the root by changing it once more',
    needs: ['namespaces'],
    test: async ({ run, folder }) => {
      await writeFile(join(folder, 'secret'), 'of the host');
      const up = '../'.repeat(30);
      const ran = await run(`mkdir -p /a/b; cd /a; chroot /a/b /bin/true; cat ${up}${folder}/secret`);
      assert.equal(ran.stdout, '');
    },
  },
  {
    title: 'can make device nodes, and not use them',
    needs: ['devices'],
    test: async ({ run }) => {
      const ran = await run(
        'for d in /tmp /dev /dev/shm; do mknod $d/mem c 1 5 && head -c 1 $d/mem >/dev/null 2>&1 && echo read; done',
      );
      assert.equal(ran.stdout, '');
    },
  },
  {
    title: 'changes nothing of the kernel',
    needs: ['namespaces'],
    test: async ({ run }) => {
      const command =
        'for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/kernel/uevent_helper; do echo x >$f && echo wrote; done';
      assert.equal((await run(command)).stdout, '');
      assert.equal((await run('head -c 1 /proc/kcore | wc -c')).stdout.trim(), '0');
    },
  },
  {
    title: "has the capabilities of Docker's containers, or all",
    needs: ['devices'],
    test: async ({ run }) => {
      const sets = async (options: Partial<RunRequest>): Promise<bigint[]> =>
        (await run('grep ^Cap /proc/self/status', options)).stdout
          .trim()
          .split('\n')
          .map(line => BigInt(`0x${line.split(/\s+/)[1]}`));
      const allowed = 0xa80425fbn;
      const [inheritable, permitted, effective, bounding, ambient] = await sets({});
      assert.deepEqual([inheritable, ambient], [0n, 0n]);
      for (const set of [permitted!, effective!, bounding!]) assert.equal(set & ~allowed, 0n);
      assert.equal(permitted! & 1n, 1n);
      const [, insecure] = await sets({ security: 'insecure' });
      assert.ok((insecure! & ~allowed) !== 0n);
    },
  },
  {
    title: 'has no capability as a user',
    needs: ['users', 'proc'],
    test: async ({ run }) => {
      const ran = await run('grep ^CapEff /proc/self/status', { user: { uid: 1000, gid: 1000, groups: [] } });
      assert.match(ran.stdout, /^CapEff:\s+0+$/m);
    },
  },
  {
    title: 'leaves no process behind',
    test: async ({ run }) => {
      const seconds = uniqueSeconds();
      const ran = await run(
        `sleep ${seconds} & setsid sleep ${seconds} & (setsid sh -c 'sleep ${seconds} &' &); sleep 0.2; echo done`,
      );
      assert.deepEqual([ran.exitCode, ran.stdout], [0, 'done\n']);
      assert.deepEqual(await processesWith(`${seconds}`), []);
    },
  },
  {
    title: 'ends when it is told to, with everything',
    test: async ({ run, changed }) => {
      const seconds = uniqueSeconds();
      const reason = new Error('enough');
      const abort = new AbortController();
      const command = `trap '' TERM INT; sleep ${seconds} & setsid sleep ${seconds} & echo started; sleep ${seconds}`;
      const ran = run(command, { signal: abort.signal, onOutput: () => abort.abort(reason) });
      await assert.rejects(ran, error => error === reason);
      assert.deepEqual(await processesWith(`${seconds}`), []);
      assert.deepEqual(
        (await changed()).filter(name => !['dev', 'proc', 'sys', 'etc'].includes(name)),
        [],
      );
      await assert.rejects(run('true', { signal: abort.signal }), error => error === reason);
    },
  },
  {
    title: 'can be expected, taken or not',
    test: async ({ sandbox, run }) => {
      const before = await ownProcesses();
      const expected = Array.from({ length: 4 }, () => sandbox.expect?.());
      assert.equal((await run('echo done')).stdout, 'done\n');
      const reason = new Error('enough');
      await assert.rejects(run('true', { signal: AbortSignal.abort(reason) }), error => error === reason);
      assert.equal((await run('exit 3')).exitCode, 3);
      for (const giveUp of expected) await giveUp?.();
      assert.deepEqual(await ownProcesses(), before);
    },
  },
  {
    title: 'gives no descriptor of the builder away',
    test: async ({ run }) => {
      const { stdout } = await run('for f in /proc/self/fd/*; do readlink $f; done');
      const odd = stdout.split('\n').filter(line => line !== '' && !/^(?:pipe:|\/dev\/null$|\/proc\/)/.test(line));
      assert.deepEqual(odd, []);
    },
  },
];

/** Numbers of the processes that this one has started and that live. */
async function ownProcesses(): Promise<string[]> {
  const numbers = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const stats = await Promise.all(numbers.map(number => readFile(`/proc/${number}/stat`, 'utf8').catch(() => '')));
  return numbers.filter((_, i) => new RegExp(`\\) [^ZX] ${process.pid} `).test(stats[i]!));
}
