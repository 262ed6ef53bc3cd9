import { allCapabilities } from './capabilities.js';
import { findHostProgram } from './host-program.js';
import { launcherObstacle } from './launcher/system-calls.js';
import { type NamespacePrograms, namespacesSandbox } from './namespaces/namespaces.js';
import type { NamespaceRights } from './namespaces/root-operations.js';
import { tryNamespaces } from './namespaces/try-namespaces.js';
import { hasCapability, type OwnPrivileges } from './own-privileges.js';
import type { Sandbox } from './sandbox.js';
import { type TrialMemory, trialKey } from './tried-before.js';
import { tryProgram } from './try-program.js';
import { findUserNamespace, startInUserNamespace, type UserNamespace } from './user-namespace.js';
import { type Obstacle, userNamespaceObstacle } from './user-namespace-obstacle.js';

/** What a tier is tried with. */
export interface TierOptions {
  /** PATH with the folders of the system. */
  readonly searchPath: string;
  /** On the disk of the roots. */
  readonly scratch: string;
  readonly own: OwnPrivileges;
  readonly memory?: TrialMemory | undefined;
}

/** A tier that works: what makes its sandbox here, or the namespace to start anew in first. */
export type Tier =
  | {
      readonly works: true;
      /** How it works here. */
      readonly detail: string;
      readonly sandbox: Sandbox;
      /** What would make it better. */
      readonly better?: Obstacle | undefined;
    }
  | { readonly works: true; readonly detail: string; readonly namespace: UserNamespace }
  | ({ readonly works: false } & Obstacle);

const namespacePrograms = ['perl'] as const;
const ociPrograms = ['sh', 'unshare', 'nsenter', 'mount', 'mkdir', 'ln', 'stat', 'cat'] as const;

const refused = (missing: string, remedy?: string): Tier => ({ works: false, missing, remedy });

/** Namespaces with all users: made by root, or in a user namespace with ranges of ids. */
export async function mappedNamespaces(options: TierOptions): Promise<Tier> {
  const { own, searchPath, memory } = options;
  if (own.uid === 0) {
    if (!hasCapability(own.effective, 'sys_admin')) {
      return refused('root of this container lacks CAP_SYS_ADMIN', 'start the container with --privileged');
    }
    return await namespaces(options, own.inUserNamespace ? 'mapped' : 'root');
  }
  const found = await findUserNamespace(searchPath);
  if ('missing' in found) {
    const user = `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER`;
    const remedy = found.missing.startsWith('not installed') ? 'install uidmap and util-linux' : `as root: ${user}`;
    return refused(found.missing, own.noNewPrivileges ? 'let programs gain privileges' : remedy);
  }
  const what = ['user namespace', JSON.stringify(found.ranges)];
  const key = memory && trialKey(what, Object.values(found.programs));
  if (key === undefined || !(await memory!.worked(key))) {
    const obstacle = await userNamespaceTried(found, own);
    if (obstacle !== undefined) return { works: false, ...obstacle };
    if (key !== undefined) await memory!.remember(key);
  }
  return { works: true, detail: `rootless, with ${found.ranges.uids.count} users`, namespace: found };
}

/** Namespaces with the builder's user alone, who is root in them: files cannot be given to others. */
export async function singleNamespaces(options: TierOptions): Promise<Tier> {
  if (options.own.uid === 0) return refused('the builder is root');
  const tier = await namespaces(options, 'single');
  const unshare = tier.works ? undefined : findHostProgram('unshare', options.searchPath);
  if (unshare === undefined) return tier;
  // Whether it is for want of a user namespace, and why, is told by a program that makes nothing else.
  const tried = await tryProgram(unshare, ['--user', '--map-root-user', '--', 'true']);
  return tried.works ? tier : { works: false, ...(await userNamespaceObstacle(options.own, tried.says)) };
}

export async function changedRoot({ searchPath, scratch, own }: TierOptions): Promise<Tier> {
  if (own.uid !== 0) return refused('changing the root is for root alone');
  if (!hasCapability(own.effective, 'sys_chroot')) {
    return refused('root of this container lacks CAP_SYS_CHROOT', 'start the container with --cap-add SYS_CHROOT');
  }
  const missing = await missingPrograms(['perl'], searchPath);
  if (missing !== undefined) return missing;
  const { chrootSandbox } = await import('./chroot-sandbox.js');
  return { works: true, detail: 'a changed root', sandbox: chrootSandbox({ scratch, searchPath, uid: own.uid }) };
}

export async function traced({ searchPath, scratch, own }: TierOptions): Promise<Tier> {
  const missing = await missingPrograms(['proot', 'perl'], searchPath);
  if (missing !== undefined) return missing;
  const { prootObstacle, prootSandbox } = await import('./proot-sandbox.js');
  const obstacle = await prootObstacle({ scratch, searchPath });
  if (obstacle !== undefined) return refused(obstacle);
  const detail = own.uid === 0 ? 'traced' : 'traced, with users that are played';
  return { works: true, detail, sandbox: prootSandbox({ scratch, searchPath, uid: own.uid }) };
}

/** Runtimes by the order in which they are preferred, and options that make them do without groups of control. */
const runtimes = { crun: ['--cgroup-manager=disabled'], runc: ['--rootless', 'true'] } as const;
type Runtime = keyof typeof runtimes;

/** Containers of a runtime, the first of these that is there, for the same builders as namespaces with all users. */
export async function containers(options: TierOptions, of: readonly Runtime[] = ['crun', 'runc']): Promise<Tier> {
  const { own, searchPath, scratch } = options;
  const tier = await mappedNamespaces(options);
  if (!tier.works || 'namespace' in tier) return tier;
  const missing = await missingPrograms(ociPrograms, searchPath);
  if (missing !== undefined) return missing;
  const found = of.map(name => [findHostProgram(name, searchPath), name] as const);
  const [path, name] = found.find(([place]) => place !== undefined) ?? [];
  if (path === undefined || name === undefined) return refused(`not installed: ${of.join(' or ')}`, `install ${of[0]}`);
  const { ociSandbox } = await import('./oci/oci.js');
  const programs = ociPrograms.map(program => [program, findHostProgram(program, searchPath)!] as const);
  return {
    works: true,
    detail: `containers of ${path}`,
    sandbox: ociSandbox({
      runtime: [path, ...runtimes[name]],
      programs: Object.fromEntries(programs) as Record<(typeof ociPrograms)[number], string>,
      ...{ path: searchPath, scratch, rights: own.inUserNamespace ? 'mapped' : 'root', bounding: own.bounding },
    }),
  };
}

async function namespaces({ searchPath, scratch, own, memory }: TierOptions, rights: NamespaceRights): Promise<Tier> {
  const missing = await missingPrograms(namespacePrograms, searchPath);
  if (missing !== undefined) return missing;
  const found = namespacePrograms.map(name => [name, findHostProgram(name, searchPath)] as const);
  const programs = Object.fromEntries(found) as unknown as NamespacePrograms;
  const tried = await tryNamespaces({ programs, own, rights, scratch, memory });
  if ('missing' in tried) return refused(tried.missing);
  const { roots, withoutOverlay } = tried;
  const who = { root: 'as root', mapped: 'as root of a user namespace', single: 'with a single user' }[rights];
  return {
    works: true,
    detail: `${who}, ${roots === 'overlay' ? 'on an overlay' : 'in a folder'}`,
    better: withoutOverlay === undefined ? undefined : { missing: `no overlay: ${withoutOverlay}` },
    sandbox: namespacesSandbox({
      path: searchPath,
      ...{ programs, own, rights, roots },
      bounding: rights === 'single' ? allCapabilities : own.bounding,
    }),
  };
}

async function missingPrograms(names: readonly string[], searchPath: string): Promise<Tier | undefined> {
  if (launcherObstacle() !== undefined && names.includes('perl')) return refused(launcherObstacle()!);
  const found = names.map(name => [name, findHostProgram(name, searchPath)] as const);
  const absent = found.filter(([, path]) => path === undefined).map(([name]) => name);
  if (absent.length === 0) return undefined;
  const packages = absent.filter(name => ['perl', 'proot'].includes(name));
  const rest = packages.length < absent.length ? ['util-linux and coreutils'] : [];
  return refused(`not installed: ${absent.join(', ')}`, `install ${[...packages, ...rest].join(', ')}`);
}

async function userNamespaceTried(namespace: UserNamespace, own: OwnPrivileges): Promise<Obstacle | undefined> {
  try {
    const child = await startInUserNamespace(namespace, {
      ...{ program: namespace.programs.sh, args: ['-c', 'test "$(id -u)" = 0'], cwd: '/', streams: 'ignore' },
      env: { PATH: '/usr/bin:/bin' },
    });
    const code = await new Promise<number | null>(resolve => child.once('close', resolve));
    return code === 0 ? undefined : await userNamespaceObstacle(own, `exit status ${code}`);
  } catch (error) {
    return await userNamespaceObstacle(own, (error as Error).message);
  }
}
