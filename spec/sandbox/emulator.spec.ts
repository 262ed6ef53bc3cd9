import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { arch, release } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseSandbox } from '../../src/sandbox/choose-sandbox.js';
import { findEmulator } from '../../src/sandbox/find-emulator.js';
import type { RootFileSystem, RunRequest } from '../../src/sandbox/sandbox.js';
import { bundledProgram } from '../support/bundled-program.js';
import { busyboxRoot } from '../support/busybox-root.js';
import { helloOfArm } from '../support/hello-of-arm.js';
import { machineUser, machineUserPrograms } from '../support/machine-user.js';
import { describeWith, findProgram, patience } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';

const platform = { os: 'linux', architecture: 'arm64' };

/** Whether user namespaces may have registrations of their own here. */
function mayRegister(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 7);
}

/** A folder `app` with a program for arm64, and a Dockerfile that runs it. */
async function armContext(folder: string): Promise<string> {
  const app = join(folder, 'app');
  await mkdir(app);
  await writeFile(join(app, 'hello'), helloOfArm(), { mode: 0o755 });
  await writeFile(join(app, 'Dockerfile'), 'FROM scratch\nCOPY hello /\nRUN ["/hello"]\n');
  return app;
}

describeWith(
  [...machineUserPrograms, 'newuidmap', 'unshare', 'proot', 'crun', 'runc', 'busybox', 'qemu-aarch64-static'],
  'an emulator that is not registered',
  () => {
    const users = ['namespaces', 'proot'].flatMap(sandbox => [true, false].map(ranges => ({ sandbox, ranges })));
    it.skipIf(arch() !== 'x64').each(users)(
      'executes programs of another processor for a user (by $sandbox, ranges: $ranges)',
      async ({ sandbox, ranges }) => {
        const folder = await tempDir();
        const bin = await bundledProgram(folder);
        await chmod(bin, 0o644);
        const app = await armContext(folder);
        const user = await machineUser(folder, { ranges });
        // Traced processes are given it by the one who traces them, whatever the kernel is.
        const works = sandbox === 'proot' || mayRegister();
        try {
          const build = ['build', '--progress', 'plain', '--sandbox', sandbox, '--platform', 'linux/arm64'];
          const env = { LADING_ROOT: join(user.home, 'store') };
          const { code, stderr } = await user.run(process.execPath, [bin, ...build, app], env);
          expect([code, stderr]).toEqual([works ? 0 : 1, expect.stringMatching(works ? /arm 64/ : /RUN_UNAVAILABLE/)]);
        } finally {
          await user.remove();
        }
      },
      patience,
    );

    describe.skipIf(arch() !== 'x64')('as root', () => {
      const tiers = [
        { name: 'namespaces', kind: 'overlay', registers: true },
        { name: 'namespaces', kind: 'directory', registers: true },
        { name: 'crun', kind: 'directory', registers: true },
        { name: 'runc', kind: 'directory', registers: true },
        { name: 'proot', kind: 'directory', registers: false },
      ] as const;
      it.each(tiers)(
        'executes them by $name in a root of the kind $kind, and nobody else does meanwhile',
        async tier => {
          const folder = await tempDir();
          const app = await armContext(folder);
          for (const name of ['upper', 'work']) await mkdir(join(folder, name));
          const root: RootFileSystem =
            tier.kind === 'directory'
              ? { kind: 'directory', path: app }
              : {
                  kind: 'overlay',
                  lower: [app],
                  upper: join(folder, 'upper'),
                  work: join(folder, 'work'),
                  lasting: true,
                };
          const sandbox = await chooseSandbox({ name: tier.name, scratch: folder });
          if (tier.registers && !mayRegister()) {
            const start = { line: 1, column: 1 };
            const instruction = { title: 'RUN', range: { file: 'Dockerfile', start, end: start }, platform };
            await expect(sandbox.check(instruction)).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
            return;
          }
          let output = '';
          const outside: Array<number | null> = [];
          const hello = join(app, 'hello');
          const request: RunRequest = {
            ...processOf(root, ['/hello']),
            onStarted: async () => void outside.push(spawnSync(hello).status),
            onOutput: (_, chunk) => {
              output += String(Buffer.from(chunk));
              outside.push(spawnSync(hello).status);
            },
          };
          expect(await sandbox.run(request)).toMatchObject({ exitCode: 0 });
          expect(output).toBe('arm 64\n');
          expect([outside.length, outside.every(status => status !== 0)]).toEqual([2, true]);
        },
      );

      it('shows a traced process nothing of this machine but the emulator, and keeps what it does to the root', async () => {
        const folder = await tempDir();
        const path = await busyboxRoot(folder);
        const sandbox = await chooseSandbox({ name: 'proot', scratch: folder });
        const run = async (command: string): Promise<string> => {
          let output = '';
          // A program of this machine's processor is executed as it is.
          const request = processOf({ kind: 'directory', path }, ['/bin/sh', '-c', command]);
          await sandbox.run({ ...request, onOutput: (_, chunk) => void (output += String(Buffer.from(chunk))) });
          return output;
        };
        const emulator = findProgram('qemu-aarch64-static')!;
        const found = (await run('find /host-rootfs -type f; touch /host-rootfs/x')).trim().split('\n');
        expect([found[0], found.length]).toEqual([`/host-rootfs${emulator}`, 2]);
        expect(existsSync('/x')).toBe(false);
        expect(await run('cat /etc/ld.so.preload')).toBe('');
        expect(existsSync(join(path, 'etc/ld.so.preload'))).toBe(false);
        expect(existsSync(join(path, 'host-rootfs'))).toBe(false);
        await run('echo kept >/etc/ld.so.preload');
        expect(await readFile(join(path, 'etc/ld.so.preload'), 'utf8')).toBe('kept\n');
        await symlink('/tmp', join(path, 'host-rootfs'));
        await expect(run('true')).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
      });

      it('cannot be used in a changed root', async () => {
        const sandbox = await chooseSandbox({ name: 'chroot', scratch: await tempDir() });
        const start = { line: 1, column: 1 };
        const instruction = { title: 'RUN', range: { file: 'Dockerfile', start, end: start }, platform };
        await expect(sandbox.check(instruction)).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
      });
    });
  },
);

/** What runs in a root as a user. */
function processOf(root: RootFileSystem, argv: readonly string[]): RunRequest {
  return {
    ...{ root, platform, argv, env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0, groups: [] } },
    ...{ hostname: 'builder', network: 'none', extraHosts: [], mounts: [], limits: [], security: 'sandbox' },
    input: 'none',
    onOutput: () => {},
  };
}

describeWith(['root', 'unshare', 'qemu-aarch64-static'], 'an emulator that is registered', () => {
  it.skipIf(arch() !== 'x64' || !mayRegister()).each(['F', ''])(
    'executes programs of another processor (flags: %s)',
    async flags => {
      const folder = await tempDir();
      const bin = await bundledProgram(folder);
      const app = await armContext(folder);
      const { path, pattern } = (await findEmulator(platform, '/usr/bin'))!;
      // In a user namespace, so that nothing is registered for the machine.
      const registrations = '/proc/sys/fs/binfmt_misc';
      const script =
        'read -r go; mount -t binfmt_misc none "$1" && printf %s "$2" >"$1/register" && shift 2 && exec "$@"';
      const rule = `${pattern.replace(':lading-', ':qemu-')}${path}:${flags}`;
      const build = ['build', '--progress', 'plain', '--sandbox', 'namespaces', '--platform', 'linux/arm64', app];
      const lading = [process.execPath, bin, ...build];
      const unshare = ['--user', '--mount', '--', 'sh', '-c', script, 'sh', registrations, rule, ...lading];
      const child = spawn('unshare', unshare, {
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LADING_ROOT: join(folder, 'store'), TMPDIR: folder },
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => void (said += chunk));
      const ended = once(child, 'close');
      await expect
        .poll(() => spawnSync('readlink', [`/proc/${child.pid}/ns/user`]).stdout.toString())
        .not.toBe(spawnSync('readlink', ['/proc/self/ns/user']).stdout.toString());
      for (const map of ['uid_map', 'gid_map']) await writeFile(`/proc/${child.pid}/${map}`, '0 0 65536\n');
      child.stdin.end('go\n');
      expect([await ended, said]).toEqual([[0, null], expect.stringContaining('arm 64')]);
    },
    patience,
  );
});
