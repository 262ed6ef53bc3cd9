import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { runProgram } from './run-program.js';
import { pause } from './start-service.js';

/** What {@link debianBase} needs. */
export const debianBasePrograms = ['root', 'mmdebstrap', 'umoci', 'skopeo', 'tar', 'ldd'] as const;

export interface DebianBase {
  /** An OCI layout with the tags `debian` and `node`. */
  readonly layout: string;
}

/** Raised when the recipe below changes, so that no image of an older recipe is taken for a new one. */
const recipe = 3;

/**
 * A real Debian with a second layer that holds this machine's Node: made by Debian's own tools once, about twenty
 * seconds, and then kept in the system's temporary folder. The user `node` is 1000:1000. `apt` is with packages to install
 * others, and to make accounts.
 */
export async function debianBase(variant: 'essential' | 'apt' = 'essential'): Promise<DebianBase> {
  const suite = await debianSuite();
  const parts = [recipe, suite, process.version, process.arch, ...(variant === 'apt' ? [variant] : [])];
  const key = createHash('sha256').update(parts.join('\n')).digest('hex');
  const folder = join(tmpdir(), `lading-debian-base-${key.slice(0, 12)}`);
  if (!existsSync(folder)) await withLock(`${folder}.lock`, () => make(folder, suite, variant));
  return { layout: join(folder, 'layout') };
}

/** Copies one of the base's images into a registry and gives its name. `v2s2` asks for Docker's own media types. */
export async function pushBase(
  base: DebianBase,
  tag: 'debian' | 'node',
  registry: string,
  format: 'oci' | 'v2s2' = 'oci',
): Promise<string> {
  const name = `${registry}/bases/${tag}:1`;
  const options = ['--insecure-policy', 'copy', '--quiet', '--dest-tls-verify=false', '--format', format];
  await runProgram('skopeo', [...options, `oci:${base.layout}:${tag}`, `docker://${name}`]);
  return name;
}

async function make(folder: string, suite: string, variant: string): Promise<void> {
  if (existsSync(folder)) return;
  const work = await mkdtemp(`${folder}.`);
  try {
    const root = join(work, 'root.tar');
    await runProgram(
      'mmdebstrap',
      [
        ...['--quiet', `--variant=${variant}`, '--dpkgopt=path-exclude=/usr/share/doc/*'],
        ...['--dpkgopt=path-exclude=/usr/share/locale/*', '--dpkgopt=path-exclude=/usr/share/man/*'],
        '--customize-hook=echo node:x:1000:1000::/home/node:/bin/bash >> "$1/etc/passwd"',
        '--customize-hook=echo node:x:1000: >> "$1/etc/group"',
        '--customize-hook=install -d -m 0755 -o 1000 -g 1000 "$1/home/node"',
        ...[suite, root, await debianMirror(suite)],
      ],
      { timeout: 600 },
    );
    const node = await nodeLayer(work, root);
    const layout = join(work, 'layout');
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const umoci = (...args: string[]) => runProgram('umoci', args);
    await umoci('init', '--layout', layout);
    await umoci('new', '--image', `${layout}:debian`);
    await umoci('raw', 'add-layer', '--image', `${layout}:debian`, root);
    await umoci('config', '--image', `${layout}:debian`, '--config.env', path, '--config.cmd', 'bash');
    await umoci('raw', 'add-layer', '--image', `${layout}:debian`, '--tag', 'node', node);
    const version = `NODE_VERSION=${process.versions.node}`;
    await umoci('config', '--image', `${layout}:node`, '--config.env', version, '--config.cmd', 'node');
    await umoci('gc', '--layout', layout);
    await rm(root);
    await rm(node);
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A tar of this machine's Node and of the shared libraries that the Debian in `root` does not bring. */
async function nodeLayer(work: string, root: string): Promise<string> {
  const files = join(work, 'node');
  const listed = await runProgram('tar', ['--list', '--file', root]);
  const present = new Set(listed.stdout.split('\n').map(name => name.replace(/^\.\//, '')));
  await mkdir(join(files, 'usr/local/bin'), { recursive: true });
  await copyFile(process.execPath, join(files, 'usr/local/bin/node'));
  const libraries = await runProgram('ldd', [process.execPath]);
  for (const [, library] of libraries.stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)) {
    // `/lib` is a link to `usr/lib` in a Debian root; a folder of that name in a layer would take its place.
    const folder = (await realpath(dirname(library!))).replace(/^\/(?:usr\/)?/, 'usr/');
    const target = join(folder, basename(library!));
    if (present.has(target)) continue;
    await mkdir(join(files, folder), { recursive: true });
    await copyFile(library!, join(files, target));
  }
  const tar = join(work, 'node.tar');
  const settings = ['--create', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--file', tar];
  await runProgram('tar', [...settings, '--directory', files, 'usr']);
  await rm(files, { recursive: true });
  return tar;
}

/** The machine's own release where it is a Debian, so that its Node finds the C library that it was linked for. */
async function debianSuite(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
  return /^ID=debian$/m.test(release) && codename !== undefined ? codename : 'bookworm';
}

/** Where apt itself gets this release from. */
async function debianMirror(suite: string): Promise<string> {
  const format = '$(REPO_URI) $(CODENAME) $(COMPONENT)';
  const { stdout } = await runProgram('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    mayFail: true,
  });
  const line = stdout.split('\n').find(target => target.endsWith(` ${suite} main`));
  return line?.split(' ')[0] ?? 'http://deb.debian.org/debian';
}

/** Test files run in processes of their own; only one of them makes the base, the others wait for it. */
async function withLock(path: string, action: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      // A lock that is older than any making of the base was left by a run that was killed.
      const age =
        Date.now() -
        (await stat(path).then(
          ({ mtimeMs }) => mtimeMs,
          () => Date.now(),
        ));
      if (age > 15 * 60_000) await rm(path, { force: true });
      await pause(300);
    }
  }
  try {
    await action();
  } finally {
    await rm(path, { force: true });
  }
}
