import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** Where it is kept that something has worked. What is forgotten is tried again. */
export interface TrialMemory {
  worked(key: string): Promise<boolean>;
  remember(key: string): Promise<void>;
}

/** What an administrator can change of namespaces while the machine runs. */
const settings = [
  ...['user', 'mnt', 'pid', 'uts', 'ipc', 'net'].map(name => `user/max_${name}_namespaces`),
  ...['kernel/unprivileged_userns_clone', 'kernel/apparmor_restrict_unprivileged_userns'],
];

/**
 * A key for a trial: it changes with the start of the machine, with what the process may do, with what it sees, with what
 * the machine allows, and with the programs that were tried. A user namespace counts by its users: a builder without
 * privilege makes one anew each time. Only that something works is worth keeping: what stands in its way can go away.
 * `undefined` where the kernel does not tell all that.
 */
export function trialKey(what: readonly string[], programs: readonly string[]): string | undefined {
  try {
    // The kernel answers at once: through threads that would take ten times as long.
    const text = (path: string): string => readFileSync(path, 'utf8');
    const facts = [
      text('/proc/sys/kernel/random/boot_id'),
      rightsIn(text('/proc/self/status')),
      text('/proc/self/uid_map'),
      text('/proc/self/gid_map'),
      ...settings.map(name => (existsSync(`/proc/sys/${name}`) ? text(`/proc/sys/${name}`) : '')),
      ...['mnt', 'net', 'pid'].map(name => readlinkSync(`/proc/self/ns/${name}`)),
      ...programs.map(path => {
        const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
        return [path, dev, ino, size, mtimeMs, ctimeMs].join(' ');
      }),
    ];
    return createHash('sha256')
      .update(JSON.stringify([...what, ...facts]))
      .digest('hex');
  } catch {
    return undefined;
  }
}

/** The lines about ids, capabilities, system calls and privileges. */
function rightsIn(status: string): string {
  return status
    .split('\n')
    .filter(line => /^(?:Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp\w*):/.test(line))
    .join('\n');
}
