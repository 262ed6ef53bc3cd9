import { copyFile, lstat, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bindSource } from './bind-source.js';
import { copyTree, makeOpenFolder } from './copy-tree.js';
import { deviceLinks, devices } from './devices.js';
import type { HostProgram } from './host-program.js';
import type { MountPoints } from './mount-points.js';
import { hostsFile, resolverFile } from './network-files.js';
import { PathInRoot } from './path-in-root.js';
import { type Emulator, type RunRequest, runUnavailable, type SandboxMount } from './sandbox.js';

/** A tree or a file of this machine that the process sees at a place of the root. */
export interface Binding {
  /** By its name, which is how proot comes to it. */
  readonly source: string;
  /** By what others cannot exchange. */
  readonly held: string;
  /** Without links. */
  readonly target: string;
}

/** What a traced process can see beside its root, and what of it it can change. */
export interface Surroundings {
  /** In the order in which they cover one another. */
  readonly bindings: readonly Binding[];
  /** For reading and starting alone. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** Others could exchange something of it for a link: Landlock alone keeps a process from going where that leads. */
  readonly exchangeable: boolean;
  /** The interpreter of the launcher as the root has it, with its own loader. */
  readonly perl: readonly string[];
}

/** Where places for mounts can be made. */
export interface PointsIn {
  /** Without links. */
  readonly root: string;
  readonly pointsIn: (folder: string) => MountPoints;
}

/** Where the launcher is, in the folder that is shown as `/dev`. */
const launcherFolder = '.lading';

/**
 * Prepares all that is shown to a process in places of its root.
 * @param folder private, empty, on this machine; what is made for this run lies in it
 * @throws LadingError PATH_INVALID for a mount target that cannot be one, IO
 */
export async function prootSurroundings(
  request: RunRequest,
  folder: string,
  perl: HostProgram,
  points: PointsIn,
): Promise<Surroundings> {
  const fixed = join(folder, 'fixed');
  const open = join(folder, 'open');
  for (const path of [fixed, open]) await mkdir(path);
  const bindings: Binding[] = [];
  const readable = [fixed, '/proc', '/sys'];
  const writable = [open];
  let exchangeable = false;
  const show = async (source: string, target: string, kind: 'directory' | 'file', held = source): Promise<void> => {
    bindings.push({ source, held, target: await pointFor(target, kind, bindings, points) });
  };

  const dev = join(open, 'dev');
  await mkdir(dev);
  for (const { name } of devices) await writeFile(join(dev, name), '');
  await mkdir(join(dev, launcherFolder));
  for (const [name, target] of deviceLinks) await symlink(target, join(dev, name));
  for (const name of ['shm', 'mqueue']) await makeOpenFolder(join(dev, name));
  await show(dev, '/dev', 'directory');
  for (const { name } of devices) {
    const source = `/dev/${name}`;
    if ((await lstat(source).catch(() => undefined))?.isCharacterDevice() !== true) continue;
    bindings.push({ source, held: source, target: `/dev/${name}` });
    writable.push(source);
  }
  await show('/proc', '/proc', 'directory');
  await show('/sys', '/sys', 'directory');

  await writeFile(join(open, 'hosts'), hostsFile(request));
  await writeFile(join(open, 'resolv.conf'), resolverFile(request));
  for (const name of ['hosts', 'resolv.conf']) await show(join(open, name), `/etc/${name}`, 'file');

  if (request.emulator !== undefined) {
    bindings.push(...(await emulatorBindings(request.emulator, join(fixed, 'host'), points)));
    readable.push(request.emulator.path);
  }

  for (const [place, mount] of request.mounts.entries()) {
    const made = join(mount.readOnly ? fixed : open, `mount-${place}`);
    const { source, held, kind } = await sourceOf(mount, made, perl.path);
    if (!mount.readOnly && source !== made) {
      // Not by its name: what has that when the rule is made could be a link to anything.
      writable.push(held);
      exchangeable ||= held !== source;
    }
    await show(source, mount.target, kind, held);
  }

  const place = `/dev/${launcherFolder}`;
  const start = await launcherFiles(perl, join(fixed, 'launcher'), readable);
  const launcher = join(fixed, 'launcher');
  bindings.push({ source: launcher, held: launcher, target: place });
  return {
    bindings,
    readable,
    writable,
    exchangeable,
    perl: start.map(name => (name.startsWith('-') ? name : `${place}/${name}`)),
  };
}

/**
 * What proot with an emulator is to show where it would show everything of this machine, and nothing at the place where it
 * hides the root's own file: the emulator alone, and that file.
 */
async function emulatorBindings({ path }: Emulator, folder: string, { root, pointsIn }: PointsIn): Promise<Binding[]> {
  if (/\s/.test(path)) throw runUnavailable(`proot cannot start an emulator with a space in its path: ${path}`);
  const [all, hidden] = ['/host-rootfs', '/etc/ld.so.preload'] as const;
  for (const [target, kind] of [[all, 'directory'] as const, [hidden, 'file'] as const]) {
    if ((await pointsIn(root).make(target, kind)) === target) continue;
    throw runUnavailable(`${target} is behind a link in the image, where proot needs it for an emulator`);
  }
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), '');
  const shown = [
    [folder, all],
    [path, `${all}${path}`],
    [join(root, hidden), hidden],
  ] as const;
  return shown.map(([source, target]) => ({ source, held: source, target }));
}

/** Makes the place to show something in: in the root, or in what is shown already in the place where it is to be. */
async function pointFor(
  target: string,
  kind: 'directory' | 'file',
  shown: readonly Binding[],
  { root, pointsIn }: PointsIn,
): Promise<string> {
  const found = new PathInRoot(root, target);
  found.close();
  const path = `/${found.names.join('/')}`;
  const around = shown.findLast(binding => path.startsWith(`${binding.target}/`));
  if (around === undefined) return pointsIn(root).make(path, kind);
  return `${around.target}${await pointsIn(around.held).make(path.slice(around.target.length), kind)}`;
}

/**
 * What a mount shows. What is only to be read is a copy: writing can be forbidden to a process, but not changing modes
 * and times, and the files of a context belong to whoever runs the builder.
 */
async function sourceOf(
  mount: SandboxMount,
  made: string,
  perl: string,
): Promise<Omit<Binding, 'target'> & { readonly kind: 'directory' | 'file' }> {
  if (mount.type === 'tmpfs') {
    await makeOpenFolder(made, mount.mode);
    return { source: made, held: made, kind: 'directory' };
  }
  const { path, held } = await bindSource(mount.source);
  const found = await stat(held);
  const kind = found.isDirectory() ? 'directory' : 'file';
  if (!mount.readOnly || !(found.isDirectory() || found.isFile())) return { source: path, held, kind };
  if (found.isFile()) await copyFile(held, made);
  else await copyTree(held, made, perl);
  return { source: made, held: made, kind };
}

/** Copies the interpreter and what it needs. @returns how it is started there: names in the folder, and options */
async function launcherFiles(perl: HostProgram, folder: string, readable: string[]): Promise<string[]> {
  await mkdir(folder);
  const files = [{ name: 'perl', path: perl.path }, ...perl.libraries];
  if (perl.interpreter !== undefined) files.push({ name: 'loader', path: perl.interpreter });
  for (const { name, path } of files) await copyFile(path, join(folder, name));
  readable.push(folder);
  return perl.interpreter === undefined ? ['perl'] : ['loader', '--library-path', '.', 'perl'];
}
