import { chrootSandbox } from '../../src/sandbox/chroot-sandbox.js';
import { prootSandbox } from '../../src/sandbox/proot-sandbox.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import type { Ability } from './sandbox-suite.js';

/** What the tiers without namespaces cannot do, and why is in `docs/run-without-namespaces.md`. */
export interface TierUnderTest {
  readonly name: 'proot' | 'chroot';
  readonly create: (options: {
    readonly scratch: string;
    readonly searchPath: string;
    readonly uid: number;
  }) => Sandbox;
  readonly lacks: ReadonlySet<Ability>;
}

export const tiersWithoutNamespaces: readonly TierUnderTest[] = [
  {
    name: 'proot',
    create: prootSandbox,
    lacks: new Set<Ability>(['namespaces', 'users', 'sizes', 'network', 'devices']),
  },
  {
    name: 'chroot',
    create: chrootSandbox,
    lacks: new Set<Ability>([
      ...(['namespaces', 'writable mounts', 'read-only roots', 'sizes', 'network', 'proc', 'devices'] as const),
    ]),
  },
];
