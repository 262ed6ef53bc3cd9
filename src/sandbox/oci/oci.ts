import { mkdtemp, realpath, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bindSource } from '../bind-source.js';
import { mountPoints } from '../mount-points.js';
import type { NamespaceRights } from '../namespaces/root-operations.js';
import { resolverFile, shownFiles } from '../network-files.js';
import { limitField } from '../resource-limits.js';
import { startProcess } from '../run-process.js';
import { type RunRequest, type RunResult, runUnavailable, type Sandbox, type SandboxMount } from '../sandbox.js';
import { refuseUserNetwork } from '../user-network.js';
import { bundleConfig } from './bundle-config.js';
import { bundleScript } from './bundle-script.js';
import { enclose } from './enclosure.js';
import { checkPlacesInMounts } from './places-in-mounts.js';

export interface OciOptions {
  /** What starts containers, by absolute path, and its global options. */
  readonly runtime: readonly [path: string, ...options: string[]];
  readonly programs: Readonly<Record<'sh' | 'unshare' | 'nsenter', string>>;
  readonly path: string;
  readonly scratch: string;
  readonly rights: NamespaceRights;
  readonly bounding: bigint;
}

/** Processes in containers of crun or runc, each made for the one process and gone with it. */
export function ociSandbox(options: OciOptions): Sandbox {
  return {
    ...{ tier: 'oci', roots: 'directory', owners: 'kept', emulation: 'registered' },
    check: async () => {},
    run: request => run(request, options),
  };
}

async function run(request: RunRequest, options: OciOptions): Promise<RunResult> {
  const { signal, root, emulator } = request;
  const { programs, path, bounding } = options;
  // Registrations that nobody else sees are those of a user namespace.
  const rights = emulator === undefined ? options.rights : 'mapped';
  if (root.kind !== 'directory') throw new Error('the root of a bundle is a folder');
  for (const limit of request.limits) limitField(limit);
  refuseUserNetwork(request, 'oci');
  signal?.throwIfAborted();
  const folder = await mkdtemp(join(await realpath(options.scratch), 'bundle-'));
  const rootPath = await realpath(root.path);
  const points = mountPoints(rootPath);
  try {
    const shown = shownFiles(request, resolverFile(request));
    for (const name of shown.keys()) await points.make(`/etc/${name}`, 'file');
    const { binds, mounts } = await prepare(request, points, folder, options.runtime[0]);
    await points.makeDirectory(request.cwd);
    const whole = await bindSource(rootPath);
    const flags = rights === 'root' && request.security === 'sandbox' ? 'nodev' : '';
    const enclosure = await enclose({
      ...{ unshare: programs.unshare, shell: programs.sh, path, signal },
      namespaces: ['--mount', '--pid', '--cgroup'],
      users: emulator !== undefined,
      script: bundleScript,
      args: [
        folder,
        emulator?.path ?? '',
        emulator?.pattern ?? '',
        'rootfs',
        whole.path,
        whole.identity,
        flags,
        ...binds,
      ],
    });
    const abort = (): void => void enclosure.close();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      signal?.throwIfAborted();
      // The folder is in memory, and seen in the namespaces alone: what is secret of the environment is on no disk.
      const put = (name: string, text: string): Promise<void> =>
        writeFile(`/proc/${enclosure.pid}/root${folder}/${name}`, text, {
          mode: name === 'config.json' ? 0o600 : 0o644,
        });
      for (const [name, text] of shown) await put(name, text);
      const files = [...shown.keys()].map(name => [name, `${folder}/${name}`] as const);
      const config = bundleConfig(request, { root: `${folder}/rootfs`, files, mounts, rights, bounding });
      await put('config.json', JSON.stringify(config));
      const [runtime, ...global] = options.runtime;
      const kinds = [...(emulator === undefined ? [] : ['--user']), '--mount', '--pid', '--cgroup'];
      const enter = [programs.nsenter, '--target', String(enclosure.pid), ...kinds, '--'];
      await request.onStarted?.(enclosure.pid);
      const running = await startProcess({
        program: programs.sh,
        args: [
          '-c',
          'umask 022; exec "$@"',
          'lading',
          ...enter,
          runtime,
          '--root',
          `${folder}/state`,
          ...global,
        ].concat(['run', '--bundle', folder, `lading-${enclosure.pid}`]),
        ...{ env: { PATH: path }, input: request.input, onOutput: request.onOutput, shell: programs.sh, path },
      });
      const { exitCode } = await running.ended;
      await enclosure.close();
      await running.written;
      signal?.throwIfAborted();
      return { exitCode };
    } finally {
      signal?.removeEventListener('abort', abort);
      await enclosure.close();
    }
  } finally {
    await points.remove();
    await rmdir(folder);
  }
}

/** Places in the root for what is mounted, and what {@link bundleScript} is to bind. */
async function prepare(
  request: RunRequest,
  points: ReturnType<typeof mountPoints>,
  folder: string,
  runtime: string,
): Promise<{ binds: string[]; mounts: SandboxMount[] }> {
  for (const name of ['/proc', '/sys', '/dev']) {
    // Runtimes have gone through a link there, and have made and removed files of this machine (CVE-2026-41579).
    if ((await points.make(name, 'directory')) === name) continue;
    throw runUnavailable(`${name} is a link in the image, where a container of a runtime needs a folder`, {
      hint: 'Make it a folder, or leave the choice of the sandbox to lading.',
    });
  }
  const binds: string[] = [];
  const mounts: SandboxMount[] = [];
  for (const [number, mount] of request.mounts.entries()) {
    const inner = liesIn(mount.target, mounts);
    const found = mount.type === 'bind' ? await bindSource(mount.source) : undefined;
    // What lies in another mount is made there by the runtime, which follows links inside the root, too.
    // Older versions of runc give a file system in memory the mode of the folder that it lies over, whatever is asked for.
    const mode = mount.type === 'tmpfs' ? (mount.mode ?? 0o1777) : undefined;
    const target = inner
      ? mount.target
      : await points.make(mount.target, found?.kind === 'file' ? 'file' : 'directory', mode);
    if (liesIn(target, mounts)) await checkPlacesInMounts(runtime, mount.target);
    if (found === undefined) mounts.push({ ...mount, target });
    else {
      binds.push(`mount-${number}`, found.path, found.identity, '');
      mounts.push({
        ...(mount as Extract<SandboxMount, { type: 'bind' }>),
        target,
        source: `${folder}/mount-${number}`,
      });
    }
  }
  return { binds, mounts };
}

function liesIn(path: string, mounts: readonly SandboxMount[]): boolean {
  return mounts.some(({ target }) => path.startsWith(`${target}/`));
}
