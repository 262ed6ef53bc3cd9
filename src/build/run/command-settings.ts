import type { ResourceLimit, Sandbox } from '../../sandbox/sandbox.js';
import type { Roots } from '../../snapshot/roots.js';
import type { Agents, CacheFolders, Secrets } from '../inputs.js';

/** How the commands of a build are run: the same for all of them. */
export interface CommandSettings {
  /** Chosen when the first command is met: a build without one looks for none. */
  readonly sandbox: () => Promise<Sandbox>;
  /** Made when the first command has to be run: a build without one needs none. */
  readonly roots: () => Promise<Roots>;
  readonly cacheFolders: CacheFolders;
  /** Before the ids of cache mounts, so that projects with the same ids can have caches of their own. */
  readonly cacheNamespace: string;
  readonly secrets: Secrets;
  readonly agents: Agents;
  readonly hostname: string;
  /** Instead of what the commands say. */
  readonly network?: 'default' | 'none' | 'host' | undefined;
  readonly extraHosts: ReadonlyArray<{ readonly host: string; readonly address: string }>;
  /** Of `/dev/shm`; absent is 64 MiB. */
  readonly shmSizeBytes?: number | undefined;
  readonly limits: readonly ResourceLimit[];
  /** Files that a command has given to nobody knows whom are an error. */
  readonly strictOwnership: boolean;
  /** What a command that fails leaves is kept, to be looked at. */
  readonly keepFailed: boolean;
  /** Told how to open a shell where a command has failed, among the files that it began with. */
  readonly onFailure?: ((openShell: () => Promise<void>) => void) | undefined;
}
