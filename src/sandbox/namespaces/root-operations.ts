import { realpathSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { bindSource } from '../bind-source.js';
import { deviceLinks, devices } from '../devices.js';
import { shownFiles } from '../network-files.js';
import type { RootFileSystem, RunRequest, SandboxMount } from '../sandbox.js';

/**
 * Whose root the namespaces are made by: that of this machine; that of a user namespace with ranges of ids, which the
 * builder is in; or that of a new user namespace, in which the builder's own user is the only one.
 */
export type NamespaceRights = 'root' | 'mapped' | 'single';

export interface RootOperationsOptions {
  /** `/etc/resolv.conf` of the process. */
  readonly resolvConf: string;
  readonly rights: NamespaceRights;
  /** The process has a network of its own, with nothing in it yet. */
  readonly ownNetwork: boolean;
}

/** What Docker hides of `/proc` and `/sys`, and what it shows but does not let be changed. */
export const masked = [
  ...['acpi', 'asound', 'interrupts', 'kcore', 'keys', 'latency_stats', 'sched_debug', 'scsi', 'timer_list'],
  'timer_stats',
].map(name => `proc/${name}`);
export const maskedInSys = ['sys/devices/virtual/powercap', 'sys/firmware'];
export const protectedPaths = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map(name => `proc/${name}`);

const quiet = 'nosuid,nodev,noexec';
const defaultShmBytes = 64 * 1024 * 1024;

/** What {@link makeRootProgram} has to do for a request: words that name operations, and what these take. */
export async function rootOperations(request: RunRequest, options: RootOperationsOptions): Promise<string[]> {
  const sandboxed = request.security === 'sandbox';
  const shown = shownFiles(request, options.resolvConf);
  // In a user namespace nodes of devices cannot be made, nor be opened where they are.
  const devices = sandboxed && options.rights === 'root' ? 'nodev' : 'dev';
  const staged = [
    ...[...shown].flatMap(([name, text]) => ['text', name, text]),
    ...['hostname', request.hostname],
    ...['mount', 'proc', 'proc', quiet],
    ...deviceOperations(request.shmSizeBytes ?? defaultShmBytes, options.rights),
    ...(request.input === 'inherit' ? ['terminal'] : []),
    ...kernelObjects(options),
    ...(options.ownNetwork ? ['loopback'] : []),
    ...(sandboxed ? [...masked, ...maskedInSys].flatMap(name => ['mask', name]) : []),
    ...(sandboxed ? protectedPaths.flatMap(name => ['protect', name]) : []),
    ...(sandboxed ? ['seal', 'sys'] : []),
  ];
  const placed = [
    ...[['proc', '/proc'] as const, ['sys', '/sys'] as const, ['dev', '/dev'] as const].flatMap(([name, target]) => {
      return ['place', name, target, 'folder'];
    }),
    ...[...shown.keys()].flatMap(name => ['place', name, `/etc/${name}`, 'file']),
  ];
  for (const [number, mount] of request.mounts.entries()) {
    const name = `mount-${number}`;
    const folder = mount.type === 'tmpfs' || (await stat(mount.source)).isDirectory();
    if (mount.type === 'bind') staged.push(...(await bind(name, mount.source, mount.readOnly ? 'ro' : devices)));
    else staged.push('mount', name, 'tmpfs', tmpfsOptions(mount));
    placed.push('place', name, mount.target, folder ? 'folder' : 'file');
  }
  return [
    ...staged,
    ...(await rootMount(request.root, devices, options.rights)),
    'root',
    ...placed,
    ...['enter', request.cwd],
    ...(request.readOnly ? ['seal'] : []),
  ];
}

/**
 * Device nodes work only where they are mounted one by one: everything else is without devices, so that a process that
 * may make nodes, as it may in a container of Docker, cannot open a disk of this machine with one.
 */
function deviceOperations(shmSizeBytes: number, rights: NamespaceRights): string[] {
  const nodes =
    rights === 'root'
      ? devices.flatMap(({ name, major, minor }) => ['node', name, String(major), String(minor)])
      : devices.flatMap(({ name }) => ['device', name, `/dev/${name}`]);
  // The group of terminals; with a single user there is none.
  const group = rights === 'single' ? '' : ',gid=5';
  return [
    ...['mount', 'dev', 'tmpfs', 'nosuid,nodev,strictatime,mode=755,size=65536k'],
    ...nodes,
    ...devices.flatMap(({ name }) => ['device', `dev/${name}`, `./${name}`]),
    ...deviceLinks.flatMap(([name, target]) => ['link', `dev/${name}`, target]),
    ...['link', 'dev/ptmx', 'pts/ptmx'],
    ...['mount', 'dev/pts', 'devpts', `nosuid,noexec,newinstance,ptmxmode=0666,mode=0620${group}`],
    ...['mount', 'dev/mqueue', 'mqueue', quiet],
    ...['mount', 'dev/shm', 'tmpfs', `${quiet},mode=1777,size=${shmSizeBytes}`],
  ];
}

/** What belongs to the network of this machine cannot be mounted by who does not own that: it is shown as it is. */
function kernelObjects({ rights, ownNetwork }: RootOperationsOptions): string[] {
  if (rights === 'root' || ownNetwork) return ['mount', 'sys', 'sysfs', quiet];
  return ['share', 'sys', '/sys', 'mask', 'sys/fs/cgroup'];
}

async function bind(name: string, source: string, mode: 'ro' | 'nodev' | 'dev'): Promise<string[]> {
  const { path, identity } = await bindSource(source);
  return ['bind', name, path, identity, mode];
}

function tmpfsOptions({ sizeBytes, mode = 0o1777, readOnly }: Extract<SandboxMount, { type: 'tmpfs' }>): string {
  const size = sizeBytes === undefined ? '' : `,size=${sizeBytes}`;
  return `nosuid,nodev,mode=${mode.toString(8)}${size}${readOnly ? ',ro' : ''}`;
}

/** Folders of an overlay are given by links with short names: they may be many, and theirs may hold what options end at. */
async function rootMount(root: RootFileSystem, flags: 'nodev' | 'dev', rights: NamespaceRights): Promise<string[]> {
  if (root.kind === 'directory') return await bind('root', await realpath(root.path), flags);
  const links = [
    ...root.lower.map((folder, i) => [String(i), folder] as const),
    ['upper', root.upper] as const,
    ['work', root.work] as const,
  ];
  const operations = links.flatMap(([name, folder]) => ['link', name, realpathSync.native(folder)]);
  const lower = root.lower.map((_, i) => i).join(':');
  const same = `redirect_dir=nofollow,metacopy=off,index=off${rights === 'root' ? '' : ',userxattr'}`;
  const options = `${flags},lowerdir=${lower},upperdir=upper,workdir=work,${same}`;
  return [...operations, ...['overlay', options, root.lasting ? '' : 'volatile']];
}
