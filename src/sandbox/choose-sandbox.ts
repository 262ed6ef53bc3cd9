import { arch, platform } from 'node:os';
import { hostPlatform } from '../oci/platform.js';
import { withForeignPrograms } from './foreign-programs.js';
import { systemFolders } from './host-program.js';
import { ownPrivileges } from './own-privileges.js';
import { refusingSandbox, type Sandbox } from './sandbox.js';
import type { SandboxName } from './sandbox-name.js';
import {
  changedRoot,
  containers,
  mappedNamespaces,
  singleNamespaces,
  type Tier,
  type TierOptions,
  traced,
} from './tiers.js';
import type { TrialMemory } from './tried-before.js';
import { UserNamespaceNeeded } from './user-namespace-needed.js';
import type { Obstacle } from './user-namespace-obstacle.js';

export interface ChooseSandboxOptions {
  /** Which one; `auto` is the best that works here. */
  readonly name?: SandboxName | undefined;
  /** PATH, to find programs in. */
  readonly path?: string | undefined;
  /** A folder that is there, on the disk of the roots, for what a run needs until it ends. */
  readonly scratch: string;
  /** The builder can start itself anew in a user namespace: where that is the best, {@link UserNamespaceNeeded} is thrown. */
  readonly mayEnter?: boolean | undefined;
  /** Keeps what has worked, so that it need not be tried by every build. */
  readonly memory?: TrialMemory | undefined;
}

/** The tiers in the order in which they are preferred; each is tried when it is asked for. */
const tiers: ReadonlyArray<readonly [name: SandboxName, examine: (options: TierOptions) => Promise<Tier>]> = [
  ['namespaces', mappedNamespaces],
  // Before the changed root, where nothing can be mounted and there is no /proc.
  ['proot', traced],
  ['chroot', changedRoot],
  ['namespaces', singleNamespaces],
  ['oci', containers],
  ['crun', options => containers(options, ['crun'])],
  ['runc', options => containers(options, ['runc'])],
];
/** Containers are the same with other programs: for those who ask for them. */
const onRequest: readonly SandboxName[] = ['oci', 'crun', 'runc'];

/** A sandbox for this machine; where none works, one that says why. */
export async function chooseSandbox(options: ChooseSandboxOptions): Promise<Sandbox> {
  const { name = 'auto', mayEnter = false } = options;
  const examined = await tierOptions(options);
  if (examined === undefined) return refusingSandbox('processes of images run on Linux alone');
  const obstacles: Obstacle[] = [];
  for (const [tierName, examine] of tiers) {
    if (name === 'auto' ? onRequest.includes(tierName) : name !== tierName) continue;
    const tier = await examine(examined);
    if (!tier.works)
      obstacles.push({ ...tier, missing: name === 'auto' ? `${tierName}: ${tier.missing}` : tier.missing });
    else if ('sandbox' in tier) return withForeignPrograms(tier.sandbox, hostPlatform(arch()), examined.searchPath);
    else if (mayEnter) throw new UserNamespaceNeeded(tier.namespace);
  }
  const missing = obstacles.map(obstacle => obstacle.missing).join('; ');
  return refusingSandbox(
    missing || `${name} is not there`,
    obstacles.find(({ remedy }) => remedy !== undefined)?.remedy,
  );
}

/** A way of running processes, and whether it works here. */
export interface TierReport {
  readonly name: SandboxName;
  readonly works: boolean;
  /** How it works here. */
  readonly detail?: string | undefined;
  /** Why it does not, or not better. */
  readonly missing?: string | undefined;
  /** The one command or setting that would change that. */
  readonly remedy?: string | undefined;
}

/** What `lading doctor` says: every tier, tried; the first that works is the one that is used. */
export async function examineHost(
  options: Omit<ChooseSandboxOptions, 'name' | 'mayEnter' | 'memory'>,
): Promise<readonly TierReport[]> {
  const examined = await tierOptions(options);
  if (examined === undefined) return [];
  // Of namespaces there is the way of root, or those of others; and of containers the runtime that would be used.
  const concerned = tiers.filter(([name, examine]) =>
    examine === singleNamespaces ? examined.own.uid !== 0 : name !== 'crun' && name !== 'runc',
  );
  return await Promise.all(
    concerned.map(async ([name, examine]) => {
      const tier = await examine(examined);
      if (!tier.works) return { name, works: false, missing: tier.missing, remedy: tier.remedy };
      const better = 'better' in tier ? tier.better : undefined;
      return { name, works: true, detail: tier.detail, missing: better?.missing, remedy: better?.remedy };
    }),
  );
}

async function tierOptions({ path = '', scratch, memory }: ChooseSandboxOptions): Promise<TierOptions | undefined> {
  if (platform() !== 'linux') return undefined;
  return { searchPath: [path, ...systemFolders].join(':'), scratch, memory, own: ownPrivileges() };
}
