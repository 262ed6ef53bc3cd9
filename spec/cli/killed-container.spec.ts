import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ContainerProgram, containerProgram } from '../support/container-program.js';
import { type MachineUser, machineUser, machineUserPrograms } from '../support/machine-user.js';
import { describeWith, patience } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';

const change =
  'echo made >/made; rm /bin/true; mkdir -p /a/b; echo deep >/a/b/c; chown 7:8 /a/b/c; touch /tmp/x; echo up; sleep 1000';

describeWith(['root', 'unshare', 'busybox', 'proot', 'crun', 'runc'], 'a container whose runner is killed', () => {
  let program: ContainerProgram;
  beforeAll(async () => {
    program = await containerProgram();
  }, patience);

  it.each(['namespaces', 'proot', 'crun', 'runc', 'chroot'])('has what it had changed (%s)', async sandbox => {
    const { lading, tried, folder } = program;
    const name = `left-${sandbox}`;
    // In a changed root what is shown can only be read.
    const shown = sandbox === 'chroot' ? `${folder}/app:/mnt/deep:ro` : `${folder}:/mnt/deep`;
    const volume = ['-v', shown, '--tmpfs', '/scratch'];
    await lading('run', '-d', '--name', name, '--sandbox', sandbox, ...volume, 'base', 'sh', '-c', change);
    await until(async () => (await lading('logs', name)) === 'up\n');
    await kill(folder);
    expect(await lading('ps')).not.toContain(name);
    expect(await lading('ps', '-a')).toMatch(new RegExp(`Exited \\(137\\).*${name}`));
    // As it is after a sweep, too, and for several who ask at once.
    await lading('prune', '--all', '--cache');
    const [changes, again] = await Promise.all([lading('diff', name), lading('diff', name)]);
    expect(again).toBe(changes);
    expect(changes.split('\n').sort()).toEqual(
      [
        '',
        'A /a',
        'A /a/b',
        'A /a/b/c',
        'A /dev',
        'A /made',
        'A /proc',
        'A /sys',
        'A /tmp/x',
        'C /bin',
        'C /tmp',
        'D /bin/true',
      ].sort(),
    );
    expect(await readdir(join(folder, 'store', 'containers', 'roots'))).toEqual([]);
    await lading('cp', `${name}:/a/b/c`, `out-${sandbox}`);
    expect(await readFile(join(folder, `out-${sandbox}`), 'utf8')).toBe('deep\n');
    await lading('commit', name, `image-${sandbox}`);
    await lading('inspect', '--verify', `image-${sandbox}`);
    const show = 'cat /made /a/b/c; stat -c %u:%g /a/b/c; [ -e /bin/true ] || echo gone';
    expect(await lading('run', '--rm', `image-${sandbox}`, 'sh', '-c', show)).toBe('made\ndeep\n7:8\ngone\n');
    expect((await tried('start', name)).code).toBe(0);
    await lading('rm', '-f', name);
    await lading('fsck');
    expect(await leftovers(folder)).toEqual([]);
  });

  // From before there is a root, through the process, until after its changes have been kept.
  it.each(Array.from({ length: 12 }, (_, i) => Math.round(60 * 1.38 ** i)))(
    'is whole, killed after %i ms',
    async moment => {
      const { lading, tried, folder, bin, env } = program;
      const name = `at-${moment}`;
      const work = 'i=0; while [ $i -lt 300 ]; do echo $i >/file-$i; i=$((i+1)); done; sleep 0.3; echo done >/done';
      const child = spawn(process.execPath, [bin, 'run', '--name', name, 'base', 'sh', '-c', work], {
        env,
        cwd: folder,
        stdio: 'ignore',
      });
      const ended = once(child, 'exit');
      await Promise.race([sleep(moment), ended]);
      child.kill('SIGKILL');
      await ended;
      const shown = await lading('ps', '-a', '--no-trunc');
      if (shown.includes(name)) {
        const files = (await lading('diff', name)).split('\n').filter(line => line.startsWith('A /file-'));
        // They were made one after the other: what is there has no gaps.
        for (const [i] of files.entries()) expect(files).toContain(`A /file-${i}`);
        if (/Exited \(0\)/.test(shown.split('\n').find(line => line.includes(name))!)) expect(files).toHaveLength(300);
        expect(await lading('commit', name)).toMatch(/^sha256:/);
        expect((await tried('start', '-a', name)).code).toBe(0);
        expect(await lading('diff', name)).toContain('A /done\n');
        await lading('rm', name);
      }
      await lading('fsck');
      await lading('prune');
      expect(await leftovers(folder)).toEqual([]);
    },
  );
});

describeWith(
  [...machineUserPrograms, 'newuidmap', 'busybox'],
  'a container whose runner is killed, without privilege',
  () => {
    let user: MachineUser;
    afterAll(() => user?.remove());
    it(
      'has what it had changed',
      async () => {
        const { folder, bin } = await containerProgram();
        await chmod(bin, 0o644);
        await runProgram('chmod', ['-R', 'a+rX', join(folder, 'app')]);
        user = await machineUser(folder, { ranges: true });
        const lading = async (...argv: string[]): Promise<string> => {
          const { code, stdout, stderr } = await user.run(process.execPath, [bin, ...argv], {
            LADING_ROOT: join(user.home, 'store'),
          });
          if (code !== 0) throw new Error(stderr);
          return stdout;
        };
        await lading('build', '-q', '-t', 'base', join(folder, 'app'));
        for (const name of ['one', 'two']) {
          await lading(
            'run',
            '-d',
            '--name',
            name,
            'base',
            'sh',
            '-c',
            `${change.replace('echo up', 'mkdir -m 700 /b; chown 9:9 /b; echo up')}`,
          );
          await until(async () => (await lading('logs', name)) === 'up\n');
          await kill(user.home);
        }
        expect(await lading('diff', 'one')).toContain('A /a/b/c\n');
        expect(await lading('start', 'one')).toBe('one\n');
        await lading('rm', '-f', 'one', 'two');
        expect(await leftovers(user.home)).toEqual([]);
      },
      patience,
    );
  },
);

/** Kills whoever runs containers of a store in the background, and nothing else. */
async function kill(folder: string): Promise<void> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args', '-ww']);
  const lines = stdout.split('\n').filter(line => line.includes('start --attach') && line.includes(folder));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) process.kill(Number.parseInt(line, 10), 'SIGKILL');
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100 && !(await condition()); i++) await sleep(50);
  expect(await condition()).toBe(true);
}

/** Mounts below a folder, processes that name it, and roots that containers have left. */
async function leftovers(folder: string): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter(line => line.includes(folder));
  const roots = await readdir(join(folder, 'store', 'containers', 'roots')).catch(() => []);
  return [...mounts, ...roots];
}
