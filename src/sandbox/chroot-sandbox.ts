import { chmod, chown, copyFile, link, mkdir, mkdtemp, realpath, stat, symlink, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { removeFiles } from '../layer/remove-files.js';
import { bindSource } from './bind-source.js';
import { copyTree, makeOpenFolder } from './copy-tree.js';
import { deviceLinks, devices } from './devices.js';
import { findHostProgram } from './host-program.js';
import { type LaunchFields, launch } from './launcher/launcher.js';
import { launcherObstacle } from './launcher/system-calls.js';
import { type MountPoints, mountPoints } from './mount-points.js';
import { hostsFile, resolverFile } from './network-files.js';
import { endingOfStatus } from './process-ending.js';
import { limitField } from './resource-limits.js';
import { type RunRequest, type RunResult, refusingSandbox, type Sandbox, type SandboxMount } from './sandbox.js';
import { systemCallFilter } from './system-call-filter.js';
import { refuseUserNetwork } from './user-network.js';

export interface ChrootOptions {
  /** A folder that is there, on the disk of the roots; what a run needs lies in it until it ends. */
  readonly scratch: string;
  /** Where programs are looked for, as in `PATH`. */
  readonly searchPath: string;
  /** Of the user who runs this. */
  readonly uid: number;
}

/**
 * Docker's set without what leads out of a changed root (`CAP_SYS_CHROOT`, `CAP_MKNOD`, `CAP_SETPCAP`): CHOWN,
 * DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE, NET_RAW, AUDIT_WRITE, SETFCAP.
 */
const capabilities = [0, 1, 3, 4, 5, 6, 7, 10, 13, 29, 31].reduce((set, bit) => set | (1n << BigInt(bit)), 0n);
const everything = (1n << 63n) - 1n;

/**
 * Runs processes as root of an ordinary container can: in a changed root, with real users and at full speed, but without
 * a process table, and without anything mounted. What has to be shown is put into the root for the time of the run.
 */
export function chrootSandbox({ scratch, searchPath, uid }: ChrootOptions): Sandbox {
  const perl = async (): Promise<{ readonly path: string } | { readonly missing: string }> => {
    const obstacle = launcherObstacle();
    if (obstacle !== undefined) return { missing: obstacle };
    if (uid !== 0) return { missing: 'changing the root is for the super user alone' };
    const path = findHostProgram('perl', searchPath);
    return path === undefined ? { missing: 'the program perl, which changes the root, is not installed' } : { path };
  };
  return {
    tier: 'chroot',
    roots: 'directory',
    owners: 'kept',
    check: async instruction => {
      const found = await perl();
      if ('missing' in found) await refusingSandbox(found.missing).check(instruction);
    },
    run: async request => {
      const found = await perl();
      if ('missing' in found) return refusingSandbox(found.missing).run(request);
      return runInRoot(request, found.path, scratch);
    },
  };
}

async function runInRoot(request: RunRequest, perl: string, scratch: string): Promise<RunResult> {
  refuseUserNetwork(request, 'chroot');
  request.signal?.throwIfAborted();
  if (request.root.kind !== 'directory') throw new Error('a changed root is a folder');
  const missing = obstacleOf(request);
  if (missing !== undefined) return refusingSandbox(missing).run(request);
  const root = await realpath(request.root.path);
  const folder = await mkdtemp(join(await realpath(scratch), 'run-'));
  const points = mountPoints(root);
  try {
    const { uid, gid } = request.user;
    for (const path of await points.makeDirectory(request.cwd)) await chown(join(root, path), uid, gid);
    const dev = await furnish(request, folder, points, perl);
    const ending = await launch({ perl, fields: fieldsOf(request, root, dev), request });
    if ('failure' in ending) return await refusingSandbox(ending.failure).run(request);
    return endingOfStatus(ending.status);
  } finally {
    await points.remove();
    await removeFiles(folder);
  }
}

/** Why a request cannot be met without mounting anything, or nothing. */
function obstacleOf({ mounts, readOnly }: RunRequest): string | undefined {
  const help = '; with the program proot installed it can';
  if (readOnly) return `a root that is only read cannot be had in a changed root${help}`;
  const open = mounts.find(mount => mount.type === 'bind' && !mount.readOnly);
  return open && `${open.target}: a mount that keeps what is written cannot be had in a changed root${help}`;
}

/** @returns where `/dev` is: not by its name, for that may be a link, to anywhere on this machine */
async function furnish(request: RunRequest, folder: string, points: MountPoints, perl: string): Promise<string> {
  let covered = 0;
  let dev = '';
  const cover = (target: string, put: (path: string) => Promise<void>): Promise<void> => {
    covered += 1;
    return points.cover(target, join(folder, `covered-${covered}`), put);
  };
  await cover('/dev', async path => {
    dev = path;
    await makeDevices(path);
  });
  await cover('/etc/hosts', path => writeFile(path, hostsFile(request)));
  await cover('/etc/resolv.conf', async path => writeFile(path, resolverFile(request)));
  for (const mount of request.mounts) await cover(mount.target, path => putMount(mount, path, perl));
  return dev;
}

/** The nodes themselves are made by the launcher. */
async function makeDevices(path: string): Promise<void> {
  await mkdir(path);
  await chmod(path, 0o755);
  for (const [name, target] of deviceLinks) await symlink(target, join(path, name));
  for (const name of ['shm', 'mqueue']) await makeOpenFolder(join(path, name));
}

async function putMount(mount: SandboxMount, path: string, perl: string): Promise<void> {
  if (mount.type === 'tmpfs') return makeOpenFolder(path, mount.mode);
  const { path: name, held } = await bindSource(mount.source);
  const found = await stat(held);
  if (found.isDirectory()) await copyTree(held, path, perl);
  else if (found.isFile()) await copyFile(held, path);
  // A socket, which has no other name than its own.
  else await link(name, path);
}

function fieldsOf(request: RunRequest, root: string, dev: string): LaunchFields {
  const { uid, gid, groups } = request.user;
  return [
    ['chroot', root],
    ...devices.map(({ name, major, minor }) => ['node', `${major}:${minor}:${dev}/${name}`] as const),
    // What confines a process to the root whatever it can do also keeps programs like sudo from raising it.
    ...(uid === 0 ? [['allow', `rwm:${root}`] as const] : []),
    ['capabilities', (request.security === 'insecure' ? everything : capabilities).toString(16)],
    ...systemCallFilter(arch() as NodeJS.Architecture, { traced: false, network: request.network }).map(
      line => ['filter', line] as const,
    ),
    ...request.limits.map(limit => ['limit', limitField(limit)] as const),
    ['cwd', request.cwd],
    ['uid', String(uid)],
    ['gid', String(gid)],
    ...groups.map(group => ['group', String(group)] as const),
    ...request.argv.map(part => ['arg', part] as const),
    ...request.env.map(pair => ['env', pair] as const),
  ];
}
