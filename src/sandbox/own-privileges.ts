import { existsSync, readFileSync } from 'node:fs';

/** What the kernel says of the builder itself. */
export interface OwnPrivileges {
  readonly uid: number;
  readonly gid: number;
  /** Sets of capabilities: what it can do now, and what programs that it starts can ever have. */
  readonly effective: bigint;
  readonly bounding: bigint;
  /** Programs that it starts gain nothing: sudo, newuidmap and their like do not work. */
  readonly noNewPrivileges: boolean;
  /** System calls are filtered, as in most containers. */
  readonly filtered: boolean;
  /** Its users are not those of the machine: root of it is root of a user namespace alone. */
  readonly inUserNamespace: boolean;
}

const capabilityBits = { sys_chroot: 18, sys_admin: 21 } as const;

export function ownPrivileges(): OwnPrivileges {
  // The kernel answers at once: through a thread that would take ten times as long.
  const status = readFileSync('/proc/self/status', 'utf8');
  const uidMap = existsSync('/proc/self/uid_map') ? readFileSync('/proc/self/uid_map', 'utf8') : '0 0 4294967295';
  const field = (name: string): string[] =>
    (new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '').split(/\s+/);
  const set = (name: string): bigint => BigInt(`0x${field(name)[0] || '0'}`);
  return {
    // The second is the effective one.
    uid: Number(field('Uid')[1]),
    gid: Number(field('Gid')[1]),
    effective: set('CapEff'),
    bounding: set('CapBnd'),
    noNewPrivileges: field('NoNewPrivs')[0] === '1',
    filtered: field('Seccomp')[0] === '2',
    inUserNamespace: uidMap.trim().split(/\s+/).join(' ') !== '0 0 4294967295',
  };
}

export function hasCapability(set: bigint, name: keyof typeof capabilityBits): boolean {
  return (set & (1n << BigInt(capabilityBits[name]))) !== 0n;
}
