import { platform } from 'node:os';
import { chrootSandbox } from './chroot-sandbox.js';
import { findHostProgram, systemFolders } from './host-program.js';
import { type NamespacePrograms, namespacesSandbox } from './namespaces/namespaces.js';
import { hasCapability, ownPrivileges } from './own-privileges.js';
import { prootSandbox } from './proot-sandbox.js';
import { refusingSandbox, type Sandbox } from './sandbox.js';

export const sandboxNames = ['auto', 'namespaces', 'chroot', 'proot', 'oci'] as const;
export type SandboxName = (typeof sandboxNames)[number];

export interface ChooseSandboxOptions {
  /** Which one; `auto` is the best that works here. */
  readonly name?: SandboxName | undefined;
  /** PATH, to find programs in. */
  readonly path?: string | undefined;
  /** A folder that is there, on the disk of the roots, for what a run needs until it ends. */
  readonly scratch: string;
}

/** A sandbox for this machine; where none works, one that says why. */
export async function chooseSandbox({ name = 'auto', path = '', scratch }: ChooseSandboxOptions): Promise<Sandbox> {
  if (platform() !== 'linux') return refusingSandbox('processes of images run on Linux alone');
  const searchPath = [path, ...systemFolders].join(':');
  const { uid } = await ownPrivileges();
  if (name === 'chroot') return chrootSandbox({ scratch, searchPath, uid });
  if (name === 'proot') return prootSandbox({ scratch, searchPath, uid });
  if (name === 'oci') return refusingSandbox(`the sandbox ${name} is not there`);
  const found = await tryNamespaces(searchPath);
  if ('sandbox' in found) return found.sandbox;
  if (name === 'namespaces') return refusingSandbox(found.missing);
  return uid === 0 ? chrootSandbox({ scratch, searchPath, uid }) : prootSandbox({ scratch, searchPath, uid });
}

type Tried = { readonly sandbox: Sandbox } | { readonly missing: string };

async function tryNamespaces(searchPath: string): Promise<Tried> {
  const { uid, effective, bounding } = await ownPrivileges();
  if (uid !== 0) return { missing: 'the builder is not root' };
  if (!hasCapability(effective, 'sys_admin')) return { missing: 'the builder lacks CAP_SYS_ADMIN' };
  const names = ['sh', 'env', 'unshare', 'nsenter', 'setpriv', 'prlimit', 'touch', 'mount'] as const;
  const found = names.map(async name => [name, await findHostProgram(name, searchPath)] as const);
  const programs = new Map(await Promise.all(found));
  const absent = names.filter(name => programs.get(name) === undefined);
  if (absent.length > 0) return { missing: `not installed: ${absent.join(', ')}` };
  return {
    sandbox: namespacesSandbox({
      programs: Object.fromEntries(programs) as unknown as NamespacePrograms,
      path: searchPath,
      bounding,
    }),
  };
}
