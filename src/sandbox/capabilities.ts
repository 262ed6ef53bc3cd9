/**
 * What a process in a container of Docker may do beyond the rights of its user: names in the spelling of `setpriv`, and
 * the numbers that the kernel has for them.
 */
const defaults: ReadonlyArray<readonly [name: string, bit: number]> = [
  ['chown', 0],
  ['dac_override', 1],
  ['fowner', 3],
  ['fsetid', 4],
  ['kill', 5],
  ['setgid', 6],
  ['setuid', 7],
  ['setpcap', 8],
  ['net_bind_service', 10],
  ['net_raw', 13],
  ['sys_chroot', 18],
  ['mknod', 27],
  ['audit_write', 29],
  ['setfcap', 31],
];

/** Those of them that are in `bounding`, a set as the kernel has it: nothing can be given that the builder does not have. */
export function defaultCapabilities(bounding: bigint): readonly string[] {
  return defaults.filter(([, bit]) => (bounding & (1n << BigInt(bit))) !== 0n).map(([name]) => name);
}

export const allCapabilities = (1n << 64n) - 1n;
