import { defaultCapabilities } from '../capabilities.js';
import { folderTimes, removeMadeForMounts } from '../made-for-mounts.js';
import { resolverFile } from '../network-files.js';
import { carryEnvironment, shellNames } from '../process-environment.js';
import { limitOption } from '../resource-limits.js';
import { startProcess } from '../run-process.js';
import { type RunRequest, type RunResult, runUnavailable, type Sandbox } from '../sandbox.js';
import { type Enclosure, enclose } from './enclosure.js';
import { placeScript } from './place-script.js';
import { type NamespaceRights, rootOperations } from './root-operations.js';
import { stageScript } from './stage-script.js';

/** Programs of this machine, by absolute path. */
export interface NamespacePrograms {
  readonly sh: string;
  readonly env: string;
  readonly unshare: string;
  readonly nsenter: string;
  readonly setpriv: string;
  readonly prlimit: string;
  readonly touch: string;
}

export interface NamespacesOptions {
  readonly programs: NamespacePrograms;
  /** PATH for what these start in turn. */
  readonly path: string;
  /** Capabilities that can be passed on, as a set of the kernel's. */
  readonly bounding: bigint;
  readonly rights: NamespaceRights;
  readonly roots: Sandbox['roots'];
}

/** Processes in namespaces of their own. */
export function namespacesSandbox(options: NamespacesOptions): Sandbox {
  return {
    tier: 'namespaces',
    roots: options.roots,
    owners: options.rights === 'single' ? 'recorded' : 'kept',
    check: async () => {},
    run: request => run(request, options),
  };
}

async function run(request: RunRequest, options: NamespacesOptions): Promise<RunResult> {
  const { signal } = request;
  const { programs, path } = options;
  if (options.rights === 'single') requireRoot(request);
  const environment = carryEnvironment(request.env);
  const limits = request.limits.map(limitOption);
  const ownNetwork = request.network === 'none';
  const enclosure = await enclose({
    ...{ unshare: programs.unshare, shell: programs.sh, path, signal },
    namespaces: namespaceOptions(options.rights, ownNetwork),
    script: stageScript,
    args: [
      placeScript,
      ...(await rootOperations(request, {
        resolvConf: await resolverFile(request),
        ownNetwork,
        rights: options.rights,
        wanted: environment.inside.length === 0 ? undefined : ['/usr/bin/env', '/bin/env'],
      })),
    ],
  });
  const folder = request.root.kind === 'directory' ? request.root.path : request.root.upper;
  const ready = await folderTimes(enclosure.made, folder);
  const abort = (): void => void enclosure.close();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted();
    requireEnv(environment.inside, enclosure);
    const running = await startProcess({
      program: programs.sh,
      args: commandLine({ request, limits, inside: environment.inside, enclosure, ownNetwork }, options),
      env: environment.carried,
      input: request.input,
      onOutput: request.onOutput,
      shell: programs.sh,
      path,
    });
    const result = await running.ended;
    // What the process has left running has the streams, too.
    await enclosure.close();
    await running.written;
    signal?.throwIfAborted();
    return result;
  } finally {
    signal?.removeEventListener('abort', abort);
    await enclosure.close();
    await removeMadeForMounts(enclosure.made, { folder, ready, touch: programs.touch });
  }
}

/** @throws LadingError RUN_UNAVAILABLE */
function requireRoot({ user }: RunRequest): void {
  if (user.uid === 0 && user.gid === 0 && user.groups.every(group => group === 0)) return;
  throw runUnavailable(`there is a single user here, and ${user.uid}:${user.gid} is another`, {
    hint: 'Install uidmap and give your user a range in /etc/subuid and /etc/subgid, or install proot.',
  });
}

/** @throws LadingError RUN_UNAVAILABLE */
function requireEnv(inside: readonly string[], { programs }: Enclosure): void {
  if (inside.length === 0 || programs[0] !== '') return;
  const names = inside.map(entry => entry.slice(0, entry.indexOf('='))).join(', ');
  throw runUnavailable(`the image has no program env, which is needed to set ${names}`, {
    hint: 'These variables would steer the programs that make the sandbox; the rest of the environment needs none.',
  });
}

/** For `unshare`. */
export function namespaceOptions(rights: NamespaceRights, ownNetwork: boolean): string[] {
  return [
    ...(rights === 'single' ? ['--user', '--map-root-user'] : []),
    ...['--mount', '--uts', '--ipc', '--pid'],
    ...(ownNetwork ? ['--net'] : []),
  ];
}

interface Entry {
  readonly request: RunRequest;
  /** Options of `prlimit`. */
  readonly limits: readonly string[];
  /** Variables to be set in the root. */
  readonly inside: readonly string[];
  readonly enclosure: Enclosure;
  readonly ownNetwork: boolean;
}

/** What starts the process: each program does its part, and becomes the next. */
function commandLine(
  { request, limits, inside, enclosure, ownNetwork }: Entry,
  { programs, bounding, rights }: NamespacesOptions,
): string[] {
  const { user } = request;
  const { pid, programs: found } = enclosure;
  const capabilities = defaultCapabilities(bounding).map(name => `+${name}`);
  return [
    ...['-c', 'umask 022; exec "$@"', 'lading', programs.env, ...shellNames.flatMap(name => ['-u', name])],
    ...[programs.nsenter, '--target', String(pid), '--mount', '--uts', '--ipc', '--pid'],
    ...(ownNetwork ? ['--net'] : []),
    ...(rights === 'single' ? ['--user', '--preserve-credentials'] : []),
    ...['--root=/', `--wd=/proc/${pid}/cwd`, '--'],
    ...(limits.length === 0 ? [] : [programs.prlimit]),
    ...limits,
    ...[programs.setpriv, '--regid', String(user.gid)],
    ...(rights === 'single'
      ? ['--keep-groups']
      : user.groups.length === 0
        ? ['--clear-groups']
        : ['--groups', user.groups.join(',')]),
    ...(request.security === 'insecure' ? [] : [`--bounding-set=-all${capabilities.map(name => `,${name}`).join('')}`]),
    ...['--inh-caps=-all', '--'],
    ...[programs.unshare, '--root=.', `--wd=${request.cwd}`, `--setuid=${user.uid}`, '--'],
    ...(inside.length === 0 ? [] : [found.at(0)!, ...inside]),
    ...request.argv,
  ];
}
