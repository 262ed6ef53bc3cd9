import { capabilitySet, defaultCapabilities } from '../capabilities.js';
import { endGuardian, type Guardian, startGuardian } from '../launcher/guardian.js';
import { type LaunchFields, launch } from '../launcher/launcher.js';
import { addToReport, type MadeReport, removeMadeForMounts } from '../made-for-mounts.js';
import { resolverFile } from '../network-files.js';
import { endingOfStatus } from '../process-ending.js';
import { limitField } from '../resource-limits.js';
import { type RunRequest, type RunResult, runUnavailable, type Sandbox } from '../sandbox.js';
import { isUserNetwork } from '../user-network.js';
import { type NetworkProgram, startNetworkProgram } from './network-program.js';
import { type NamespaceRights, rootOperations } from './root-operations.js';

/** Programs of this machine, by absolute path. */
export interface NamespacePrograms {
  readonly perl: string;
}

export interface NamespacesOptions {
  readonly programs: NamespacePrograms;
  /** Where what connects a network is looked for. */
  readonly path: string;
  /** Capabilities that can be passed on, as a set of the kernel's. */
  readonly bounding: bigint;
  readonly rights: NamespaceRights;
  readonly own: { readonly uid: number; readonly gid: number };
  readonly roots: Sandbox['roots'];
}

/** Processes in namespaces of their own. */
export function namespacesSandbox(options: NamespacesOptions): Sandbox {
  const expecting: Guardian[] = [];
  return {
    tier: 'namespaces',
    roots: options.roots,
    owners: options.rights === 'single' ? 'recorded' : 'kept',
    emulation: 'registered',
    check: async () => {},
    expect: () => {
      const guardian = startGuardian(options.programs.perl, 'none');
      expecting.push(guardian);
      return async () => {
        const place = expecting.indexOf(guardian);
        if (place < 0) return;
        expecting.splice(place, 1);
        await endGuardian(guardian);
      };
    },
    run: request => run(request, options, () => (request.input === 'none' ? expecting.pop() : undefined)),
  };
}

async function run(
  request: RunRequest,
  options: NamespacesOptions,
  started: () => Guardian | undefined,
): Promise<RunResult> {
  const { programs, rights, path } = options;
  const { network, signal } = request;
  if (rights === 'single') requireRoot(request);
  const fields = [...(await namespaceFields(request, options)), ...processFields(request, options)];
  const report: MadeReport = { made: [], ready: new Map() };
  let connection: NetworkProgram | undefined;
  const connect = async (pid: number): Promise<void> => {
    if (isUserNetwork(network)) {
      const ports = request.ports ?? [];
      connection = await startNetworkProgram({ pid, network, ports, path, ownUser: rights === 'single', signal });
    }
    await request.onStarted?.(pid);
  };
  const onStarted = isUserNetwork(network) || request.onStarted !== undefined ? connect : undefined;
  try {
    const ending = await launch({
      ...{ perl: programs.perl, fields, request: { ...request, onStarted }, guardian: started() },
      onMade: line => addToReport(report, line),
    });
    if ('failure' in ending) throw unavailable(ending.failure);
    return endingOfStatus(ending.status);
  } finally {
    await connection?.close();
    const folder = request.root.kind === 'directory' ? request.root.path : request.root.upper;
    await removeMadeForMounts(report, { folder });
  }
}

/** @throws LadingError RUN_UNAVAILABLE */
function requireRoot({ user }: RunRequest): void {
  if (user.uid === 0 && user.gid === 0 && user.groups.every(group => group === 0)) return;
  throw runUnavailable(`there is a single user here, and ${user.uid}:${user.gid} is another`, {
    hint: 'Install uidmap and give your user a range in /etc/subuid and /etc/subgid, or install proot.',
  });
}

function unavailable(missing: string): Error {
  return runUnavailable(`the root for a process cannot be made: ${missing}`, {
    hint: 'lading doctor says what this machine allows.',
  });
}

/** `CLONE_NEW…`; that of processes is made by the launcher for all. */
const kinds = { mounts: 0x20000, names: 0x4000000, messages: 0x8000000, network: 0x40000000 } as const;

/** What the launcher makes the namespaces and the root with. Without a process in them they are tried. */
export async function namespaceFields(
  request: RunRequest,
  { rights, own }: Pick<NamespacesOptions, 'rights' | 'own'>,
): Promise<LaunchFields> {
  const ownNetwork = request.network === 'none' || isUserNetwork(request.network);
  const flags = kinds.mounts | kinds.names | kinds.messages | (ownNetwork ? kinds.network : 0);
  const operations = await rootOperations(request, { resolvConf: resolverFile(request), ownNetwork, rights });
  return [
    ...(rights === 'single' ? [['user', `${own.uid}:${own.gid}`] as const] : []),
    ['namespaces', flags.toString(16)],
    ...(request.emulator === undefined
      ? []
      : [['emulator', request.emulator.path] as const, ['pattern', request.emulator.pattern] as const]),
    ...operations.map(word => ['op', word] as const),
  ];
}

function processFields(request: RunRequest, { bounding, rights }: NamespacesOptions): LaunchFields {
  const { argv, env, limits, security, user } = request;
  const allowed = security === 'insecure' ? bounding : capabilitySet(defaultCapabilities(bounding));
  return [
    ['capabilities', allowed.toString(16)],
    ...limits.map(limit => ['limit', limitField(limit)] as const),
    // A single user cannot become another, and is root already.
    ...(rights === 'single' ? [] : [['uid', String(user.uid)] as const, ['gid', String(user.gid)] as const]),
    ...user.groups.map(group => ['group', String(group)] as const),
    ...argv.map(part => ['arg', part] as const),
    ...env.map(pair => ['env', pair] as const),
  ];
}
