import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith, patience, runProgram } from '../support/programs.js';
import { writeBusyboxContext } from './busybox-image.js';
import { ladingBin } from './lading.js';

/** The number that unprivileged processes have on Debian. */
const nobody = 65534;

describeWith(['root', 'setpriv', 'busybox', 'skopeo'], 'the same build anywhere', () => {
  let work: string;
  let context: string;
  let bin: string;
  let expected: string;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-reproducible-'));
    await chmod(work, 0o755);
    context = join(work, 'context');
    await writeBusyboxContext(context);
    await writeTree(join(context, 'data'));
    bin = await install(join(work, 'installed'));
    expected = await build('plain', {});
  }, patience);

  afterAll(async () => {
    if (work) await rm(work, { recursive: true, force: true });
  });

  it('has the same digest a second time, in another store', async () => {
    expect(await build('again', {})).toBe(expected);
  });

  it('has the same digest for an unprivileged user', async () => {
    expect(await build('nobody', { user: nobody })).toBe(expected);
  });

  it('has the same digest under umask 077', async () => {
    expect(await build('umask', { umask: '077' })).toBe(expected);
  });

  it.each([
    { TZ: 'Asia/Tokyo' },
    { TZ: 'America/St_Johns', LC_ALL: 'C', LANG: 'C' },
    { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
    { UV_THREADPOOL_SIZE: '1' },
    { LC_ALL: 'C.UTF-8', HOME: '/nonexistent' },
  ])('has the same digest with %j', async env => {
    expect(await build('env', { env })).toBe(expected);
  });

  it('has the same digest on one processor', async () => {
    expect(await build('taskset', { prefix: ['taskset', '--cpu-list', '0'] })).toBe(expected);
  });

  it('has the same digest for a copy made in reverse order, with other times and owners', async () => {
    const other = join(work, 'reversed');
    await copyReversed(context, other);
    expect(await build('reversed', { context: other })).toBe(expected);
  });

  it('has the same digest for everything at once', async () => {
    const other = join(work, 'somewhere/else/with a space');
    await mkdir(dirname(other), { recursive: true });
    await copyReversed(context, other);
    const env = { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' };
    expect(await build('all', { context: other, user: nobody, umask: '077', env })).toBe(expected);
  });

  it('has another digest when one byte of the context is another', async () => {
    const other = join(work, 'changed');
    await cp(context, other, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    await runProgram('sh', ['-c', 'printf j | dd of=data/hello.txt conv=notrunc status=none'], { cwd: other });
    expect(await build('changed', { context: other })).not.toBe(expected);
  });

  interface Circumstances {
    readonly context?: string;
    readonly user?: number;
    readonly umask?: string;
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly prefix?: readonly string[];
  }

  /** Builds with a store of its own under the given circumstances; gives the digest of the image that skopeo sees. */
  async function build(id: string, given: Circumstances): Promise<string> {
    const folder = await mkdtemp(join(work, `${id}-`));
    if (given.user !== undefined) await chown(folder, given.user, given.user);
    const drop = ['setpriv', `--reuid=${given.user}`, `--regid=${given.user}`, '--clear-groups'];
    const archive = join(folder, 'image.tar');
    const build = ['--root', join(folder, 'store'), 'build', '--quiet', '--tag', 'same:1'];
    const output = ['--output', `type=oci,dest=${archive}`, '--platform', 'linux/amd64', given.context ?? context];
    const [program, ...args] = [
      ...(given.prefix ?? []),
      ...(given.user === undefined ? [] : drop),
      ...['sh', '-c', `umask ${given.umask ?? '022'} && exec "$@"`, 'sh', process.execPath, bin, ...build, ...output],
    ];
    await runProgram(program!, args, { cwd: folder, env: { HOME: folder, LADING_ROOT: undefined, ...given.env } });
    const verify = ['--root', join(folder, 'store'), 'inspect', '--verify', 'same:1'];
    await runProgram(process.execPath, [bin, ...verify]);
    const inspect = ['inspect', '--format', '{{.Digest}}', `oci-archive:${archive}`];
    const { stdout } = await runProgram('skopeo', inspect);
    const layers = await runProgram('sha256sum', [archive]);
    await rm(folder, { recursive: true });
    return `${stdout.trim()} archive ${layers.stdout.slice(0, 64)}`;
  }
});

/** Files whose order, names, modes and links could leak into an image. */
async function writeTree(folder: string): Promise<void> {
  const names = [
    'a',
    'B',
    'b',
    'ä',
    'Z',
    'z-1',
    'z.1',
    'z1',
    'İ',
    'i',
    'ı',
    '\u{1f600}',
    'e\u0301',
    '\u00e9',
    'a b',
    '.hidden',
  ];
  for (const name of names) {
    const path = join(folder, 'names', name);
    await mkdir(path, { recursive: true });
    for (const file of names.slice(0, 6)) await writeFile(join(path, file), `${name}/${file}\n`);
  }
  await writeFile(join(folder, 'program'), '#!/bin/sh\n');
  await chmod(join(folder, 'program'), 0o755);
  await symlink('program', join(folder, 'link'));
  await symlink('/nowhere/at/all', join(folder, 'dangling'));
  await writeFile(join(folder, 'big'), Buffer.alloc(3_500_000, 'compressible text that fills more than one segment\n'));
}

/** A copy whose folders list their entries in another order where the file system keeps the order of creation. */
async function copyReversed(from: string, to: string): Promise<void> {
  const found = await lstat(from);
  if (found.isSymbolicLink()) {
    await symlink(await readlink(from), to);
  } else if (found.isDirectory()) {
    await mkdir(to);
    for (const name of (await readdir(from)).sort().reverse()) await copyReversed(join(from, name), join(to, name));
    await chmod(to, found.mode & 0o7777);
  } else {
    await cp(from, to);
    await chmod(to, found.mode & 0o7777);
    await chown(to, 1234, 4321);
    await utimes(to, 1_700_000_000, 1_700_000_000);
  }
}

/** The command where every user can read it, wherever this checkout lies; it is complete without any other package. */
async function install(folder: string): Promise<string> {
  const repository = fileURLToPath(new URL('../..', import.meta.url));
  await mkdir(folder);
  for (const path of ['package.json', 'dist'])
    await cp(join(repository, path), join(folder, path), { recursive: true });
  await runProgram('chmod', ['-R', 'a+rX', folder]);
  return join(folder, ladingBin.slice(repository.length));
}
