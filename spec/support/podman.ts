import { existsSync } from 'node:fs';
import { mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeWithMounts } from './remove-with-mounts.js';
import { findProgram, type RunOptions, type RunResult, runProgram } from './run-program.js';

export interface Podman {
  /** The options that make it use that storage, for those who run it by other means. */
  readonly settings: readonly string[];
  podman(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Arguments for `podman run` that work in containers and small machines too. */
  readonly runFlags: readonly string[];
  remove(): Promise<void>;
}

/** podman with storage of its own in a temporary folder. */
export async function openPodman(): Promise<Podman> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-podman-'));
  const settings = [
    ...['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--tmpdir', join(folder, 'tmp')],
    ...['--storage-driver', await storageDriver(folder), '--cgroup-manager', 'cgroupfs', '--runtime', runtime()],
  ];
  return {
    settings,
    podman: (args, options) => runProgram('podman', [...settings, ...args], options),
    // podman raises these limits to the kernel's highest, which takes a privilege that root in a container lacks.
    runFlags: ['--rm', '--network=host', '--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024'],
    remove: () => removeWithMounts(folder),
  };
}

/** vfs works everywhere, and copies the whole tree for each layer; overlayfs cannot lie on another overlayfs. */
async function storageDriver(folder: string): Promise<'overlay' | 'vfs'> {
  const overlayMagic = 0x794c7630;
  return (await statfs(folder)).type === overlayMagic ? 'vfs' : 'overlay';
}

/** crun refuses hosts where both versions of control groups are mounted; runc, which Docker brings along, does not. */
function runtime(): string {
  const hybrid = existsSync('/sys/fs/cgroup/unified/cgroup.controllers');
  return hybrid && findProgram('runc') !== undefined ? 'runc' : findProgram('crun') ? 'crun' : 'runc';
}
