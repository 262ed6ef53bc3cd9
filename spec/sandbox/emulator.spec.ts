import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { arch, release } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseSandbox } from '../../src/sandbox/choose-sandbox.js';
import { findEmulator } from '../../src/sandbox/find-emulator.js';
import type { RootFileSystem, RunRequest } from '../../src/sandbox/sandbox.js';
import { bundledProgram } from '../support/bundled-program.js';
import { helloOfArm } from '../support/hello-of-arm.js';
import { machineUser, machineUserPrograms } from '../support/machine-user.js';
import { describeWith, patience } from '../support/programs.js';
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
  [...machineUserPrograms, 'newuidmap', 'unshare', 'qemu-aarch64-static'],
  'an emulator that is not registered',
  () => {
    it.skipIf(arch() !== 'x64').each([true, false])(
      'executes programs of another processor in a user namespace (ranges: %s)',
      async ranges => {
        const folder = await tempDir();
        const bin = await bundledProgram(folder);
        await chmod(bin, 0o644);
        const app = await armContext(folder);
        const user = await machineUser(folder, { ranges });
        try {
          const build = ['build', '--progress', 'plain', '--sandbox', 'namespaces', '--platform', 'linux/arm64'];
          const env = { LADING_ROOT: join(user.home, 'store') };
          const { code, stderr } = await user.run(process.execPath, [bin, ...build, app], env);
          expect([code, stderr]).toEqual([
            mayRegister() ? 0 : 1,
            expect.stringMatching(mayRegister() ? /arm 64/ : /RUN_UNAVAILABLE/),
          ]);
        } finally {
          await user.remove();
        }
      },
      patience,
    );

    describe.skipIf(arch() !== 'x64' || !mayRegister())('as root', () => {
      for (const kind of ['overlay', 'directory'] as const) {
        it(`executes them in a root of the kind ${kind}, and nobody else does meanwhile`, async () => {
          const folder = await tempDir();
          const app = await armContext(folder);
          for (const name of ['upper', 'work']) await mkdir(join(folder, name));
          const root: RootFileSystem =
            kind === 'directory'
              ? { kind, path: app }
              : { kind, lower: [app], upper: join(folder, 'upper'), work: join(folder, 'work') };
          const sandbox = await chooseSandbox({ name: 'namespaces', scratch: folder });
          let output = '';
          const outside: Array<number | null> = [];
          const hello = join(app, 'hello');
          const request: RunRequest = {
            ...{ root, platform, argv: ['/hello'], env: [], cwd: '/', user: { uid: 1000, gid: 1000, groups: [] } },
            ...{ hostname: 'builder', network: 'none', extraHosts: [], mounts: [], limits: [], security: 'sandbox' },
            input: 'none',
            onStarted: async () => void outside.push(spawnSync(hello).status),
            onOutput: (_, chunk) => {
              output += String(Buffer.from(chunk));
              outside.push(spawnSync(hello).status);
            },
          };
          expect(await sandbox.run(request)).toMatchObject({ exitCode: 0 });
          expect(output).toBe('arm 64\n');
          expect([outside.length, outside.every(status => status !== 0)]).toEqual([2, true]);
        });
      }
    });
  },
);

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
