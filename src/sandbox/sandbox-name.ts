/** Ways of running processes, for those who choose one themselves; `auto` is the best that works, `oci` crun or else runc. */
export const sandboxNames = ['auto', 'namespaces', 'chroot', 'proot', 'oci', 'crun', 'runc'] as const;
export type SandboxName = (typeof sandboxNames)[number];
