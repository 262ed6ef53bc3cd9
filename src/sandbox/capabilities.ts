/** Rights beyond those of a user, in the order of the kernel's numbers and the spelling of `setpriv`. */
const names = [
  ...['chown', 'dac_override', 'dac_read_search', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap'],
  ...['linux_immutable', 'net_bind_service', 'net_broadcast', 'net_admin', 'net_raw', 'ipc_lock', 'ipc_owner'],
  ...['sys_module', 'sys_rawio', 'sys_chroot', 'sys_ptrace', 'sys_pacct', 'sys_admin', 'sys_boot', 'sys_nice'],
  ...['sys_resource', 'sys_time', 'sys_tty_config', 'mknod', 'lease', 'audit_write', 'audit_control', 'setfcap'],
];

/** What a process in a container of Docker may do. */
const usual = new Set([
  ...['chown', 'dac_override', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap', 'net_bind_service'],
  ...['net_raw', 'sys_chroot', 'mknod', 'audit_write', 'setfcap'],
]);

/** Those in `bounding`, a set as the kernel has it: nothing can be given that the builder does not have. */
export function capabilitiesIn(bounding: bigint): readonly string[] {
  return names.filter((_, bit) => (bounding & (1n << BigInt(bit))) !== 0n);
}

/** Those of them that a process in a container of Docker has. */
export function defaultCapabilities(bounding: bigint): readonly string[] {
  return capabilitiesIn(bounding).filter(name => usual.has(name));
}

export const allCapabilities = (1n << 64n) - 1n;

/** The set that the kernel has for these. */
export function capabilitySet(of: readonly string[]): bigint {
  return names.reduce((set, name, bit) => (of.includes(name) ? set | (1n << BigInt(bit)) : set), 0n);
}
