import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { chooseSandbox } from '../../src/sandbox/choose-sandbox.js';
import type { RunRequest, Sandbox } from '../../src/sandbox/sandbox.js';
import { debianBase, debianBasePrograms } from '../support/debian-base.js';
import { describeWith, patience } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';

/** What has led out of other sandboxes, in a root with a real Perl, as root. */
describeWith([...debianBasePrograms, 'unshare'], 'a process in namespaces that wants to get out', () => {
  let folder: string;
  let lower: string;
  let sandbox: Sandbox;
  let secret: string;
  let number = 0;

  beforeAll(async () => {
    folder = await tempDir();
    const { layout } = await debianBase();
    await runProgram('umoci', ['unpack', '--image', `${layout}:debian`, join(folder, 'bundle')]);
    lower = join(folder, 'bundle/rootfs');
    secret = join(folder, 'secret');
    await writeFile(secret, 'of the host');
    await mkdir(join(folder, 'scratch'));
    sandbox = await chooseSandbox({ name: 'namespaces', scratch: join(folder, 'scratch') });
  }, patience);

  async function run(
    argv: readonly string[],
    options: Partial<RunRequest> = {},
  ): Promise<{ code: number; text: string }> {
    const own = join(folder, `run-${++number}`);
    for (const name of ['upper', 'work']) await mkdir(join(own, name), { recursive: true });
    let text = '';
    const { exitCode } = await sandbox.run({
      root: { kind: 'overlay', lower: [lower], upper: join(own, 'upper'), work: join(own, 'work'), lasting: false },
      argv,
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
      ...{ cwd: '/', user: { uid: 0, gid: 0, groups: [] }, hostname: 'builder', network: 'none' },
      ...{ extraHosts: [], mounts: [], limits: [], security: 'sandbox', input: 'none' },
      onOutput: (_, chunk) => {
        text += String(Buffer.from(chunk));
      },
      ...options,
    });
    return { code: exitCode, text };
  }
  const perl = (program: string, options?: Partial<RunRequest>) => run(['perl', '-e', program], options);

  it('does not by changing the root once more and going up from an open folder', async () => {
    const program = `mkdir '/cage'; opendir(my $d, '/'); chroot('/cage') or die "chroot: $!"; chdir($d);
      for (1..100) { chdir('..'); } chroot('.') or die "again: $!"; open(my $f, '<', '${'${secret}'}') or die "open: $!"; print <$f>;`;
    const { text } = await perl(program.replace('${secret}', secret));
    expect(text).toMatch(/^open: No such file/);
  });

  it('does not through descriptors that the builder has open', async () => {
    const program = `for my $n (0..1023) { for my $up ('', '/..', '/../..', '/../../../../../..') {
      print "out $n\\n" if -e "/proc/self/fd/$n$up${secret}"; } }`;
    expect(await perl(program)).toEqual({ code: 0, text: '' });
  });

  it('does not through other processes that it sees', async () => {
    const program = `for my $p (glob('/proc/[0-9]*')) { for my $w ('root', 'cwd', 'fd/0', 'fd/3', 'fd/5') {
      print "out $p $w\\n" if -e "$p/$w${secret}"; }
      open(my $m, '<', "$p/environ") or next; local $/; my $e = <$m>; print "env $p\\n" if $p ne "/proc/$$" && $e =~ /lading/i; }`;
    expect(await perl(program)).toEqual({ code: 0, text: '' });
  });

  it('does not by mounting, tracing, loading or naming handles of files', async () => {
    // mount, umount2, pivot_root, unshare of mounts, setns of its keeper, ptrace of it, init_module, open_by_handle_at.
    const calls = [
      'syscall(165, $proc, $mnt, $proc, 0, 0)',
      'syscall(166, $sys, 2)',
      'syscall(155, $root, $mnt)',
      'syscall(272, 0x00020000)',
      'do { open(my $n, "<", "/proc/1/ns/mnt"); syscall(308, fileno($n) // -1, 0) }',
      'syscall(101, 16, 1, 0, 0)',
      'syscall(175, 0, 0, $empty)',
      'syscall(304, -100, $handle, 0)',
    ];
    const names = 'my ($proc, $mnt, $sys, $root, $empty, $handle) = (qw(proc /mnt /proc/sys /), "", "\\0" x 64);\n';
    const program = names + calls.map((call, i) => `print "call ${i}\\n" if (${call}) != -1;`).join('\n');
    if (process.arch === 'x64') expect(await perl(program)).toEqual({ code: 0, text: '' });
  });

  it('does not with a user namespace of its own', async () => {
    const { text } = await run([
      'sh',
      '-c',
      `unshare --user --map-root-user --mount sh -c 'umount -l / ; umount -l /etc/hosts; cd /; cat ../../..${secret}; cat ${secret}; mount -t proc proc /mnt && echo b >/mnt/sysrq-trigger && echo pressed' 2>/dev/null`,
    ]);
    expect(text).toBe('');
  });

  it('does not where what is mounted on is a link that leads out', async () => {
    await symlink('/proc/self/root/../../../../../..', join(lower, 'way-out'));
    await symlink(folder, join(lower, 'absolute'));
    const source = join(folder, 'mine');
    await writeFile(source, 'mounted');
    const before = (await stat(folder)).mtimeMs;
    for (const target of ['/way-out/new', '/absolute/new/file', '/proc/self/cwd/new', '/dev/fd/../new']) {
      const mounts = [{ type: 'bind', source, target, readOnly: true }] as const;
      await run(['true'], { mounts }).catch((error: unknown) =>
        expect(error).toMatchObject({ code: 'RUN_UNAVAILABLE' }),
      );
    }
    expect((await stat(folder)).mtimeMs).toBeGreaterThanOrEqual(before);
    await expect(stat(join(folder, 'new'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(stat('/new')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readFile(secret, 'utf8')).toBe('of the host');
  });

  it('does not where what is mounted is exchanged for a link meanwhile', async () => {
    const shared = join(folder, 'shared');
    await mkdir(join(shared, 'a'), { recursive: true });
    await symlink(folder, join(shared, 'b'));
    const source = join(shared, 'x');
    await mkdir(source);
    await writeFile(join(source, 'harmless'), '');
    // Somebody with the same cache exchanges the folder, as fast as it goes.
    const swap = `my ($d) = @ARGV; for (;;) { rename("$d/x", "$d/y"); rename("$d/b", "$d/x"); rename("$d/x", "$d/b"); rename("$d/y", "$d/x"); }`;
    const racer = runProgram('timeout', ['--signal=KILL', '8', 'perl', '-e', swap, shared], { mayFail: true }).catch(
      () => {},
    );
    const mounts = [{ type: 'bind', source, target: '/cache', readOnly: false }] as const;
    for (let i = 0; i < 8; i++) {
      const outcome = await run(['sh', '-c', 'ls /cache'], { mounts }).catch(() => ({ text: '' }));
      expect(outcome.text).not.toContain('secret');
    }
    await racer;
  });
});
