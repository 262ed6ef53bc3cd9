import { isatty } from 'node:tty';
import { capabilitiesIn, defaultCapabilities } from '../capabilities.js';
import { masked, maskedInSys, type NamespaceRights, protectedPaths } from '../namespaces/root-operations.js';
import type { RunRequest, SandboxMount } from '../sandbox.js';

export interface BundleConfigOptions {
  /** On this machine. */
  readonly root: string;
  /** Names in `/etc`, and where on this machine the files are that are shown there. */
  readonly files: ReadonlyArray<readonly [name: string, path: string]>;
  /** Mounts of the request, with sources where they are bound already. */
  readonly mounts: RunRequest['mounts'];
  readonly rights: NamespaceRights;
  readonly bounding: bigint;
}

type MemoryMount = Extract<SandboxMount, { type: 'tmpfs' }>;

const quiet = ['nosuid', 'nodev', 'noexec'];

/** `config.json` of a bundle, as the runtime specification of OCI has it. */
export function bundleConfig(request: RunRequest, options: BundleConfigOptions): object {
  const { user, limits, network } = request;
  const sandboxed = request.security === 'sandbox';
  // No device control group keeps nodes from being opened; so none can be made.
  const usual = defaultCapabilities(options.bounding).filter(name => name !== 'mknod');
  const allowed = (sandboxed ? usual : capabilitiesIn(options.bounding)).map(name => `CAP_${name.toUpperCase()}`);
  const own = user.uid === 0 ? allowed : [];
  const sys =
    options.rights === 'root' || network === 'none'
      ? { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...quiet, 'ro'] }
      : { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', ...quiet, 'ro'] };
  const memory = ({ target, sizeBytes, mode = 0o1777, readOnly }: Omit<MemoryMount, 'type'>): object => ({
    ...{ destination: target, type: 'tmpfs', source: 'tmpfs' },
    options: [
      'nosuid',
      'nodev',
      `mode=${mode.toString(8)}`,
      ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
      ...(readOnly ? ['ro'] : []),
    ],
  });
  return {
    ociVersion: '1.0.2',
    process: {
      // One of the container's own, where the builder's is one.
      terminal: request.input === 'inherit' && isatty(0) && isatty(1),
      user: { uid: user.uid, gid: user.gid, additionalGids: user.groups, umask: 0o022 },
      ...{ args: request.argv, env: request.env, cwd: request.cwd, noNewPrivileges: false },
      capabilities: { bounding: allowed, effective: own, permitted: own, inheritable: [], ambient: [] },
      rlimits: limits.map(({ name, soft, hard }) => ({
        ...{ type: `RLIMIT_${name.toUpperCase()}`, soft: limitValue(soft), hard: limitValue(hard) },
      })),
    },
    root: { path: options.root, readonly: request.readOnly ?? false },
    hostname: request.hostname,
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: quiet },
      sys,
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        ...{ destination: '/dev/pts', type: 'devpts', source: 'devpts' },
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: quiet },
      memory({ target: '/dev/shm', sizeBytes: request.shmSizeBytes ?? 64 * 1024 * 1024, readOnly: false }),
      ...options.files.map(([name, source]) => {
        return { destination: `/etc/${name}`, type: 'bind', source, options: ['bind', 'rw'] };
      }),
      ...options.mounts.map(mount => {
        if (mount.type === 'tmpfs') return memory(mount);
        const { target, source, readOnly } = mount;
        return { destination: target, type: 'bind', source, options: ['bind', readOnly ? 'ro' : 'rw'] };
      }),
    ],
    linux: {
      namespaces: ['pid', 'ipc', 'uts', 'mount', ...(network === 'none' ? ['network'] : [])].map(type => ({ type })),
      maskedPaths: sandboxed ? [...masked, ...maskedInSys].map(name => `/${name}`) : [],
      readonlyPaths: sandboxed ? protectedPaths.map(name => `/${name}`) : [],
    },
  };
}

/** As JSON has it: the largest number of 64 bits is `-1` elsewhere, and is not one that JavaScript can write. */
function limitValue(value: number): number {
  return value === -1 ? Number.MAX_SAFE_INTEGER : value;
}
