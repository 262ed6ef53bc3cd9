/** Ways of running processes, for those who choose one themselves; `auto` is the best that works. */
export const sandboxNames = ['auto', 'namespaces', 'chroot', 'proot', 'oci'] as const;
export type SandboxName = (typeof sandboxNames)[number];
