import type { CommandSettings } from '../build/run/command-settings.js';
import type { Entitlement } from '../build/run/entitlement.js';
import type { ResourceLimit, Sandbox } from '../sandbox/sandbox.js';
import type { Store } from '../store/store.js';
import { lazy } from '../stream/lazy.js';
import { type BuildAgent, buildAgents } from './build-agents.js';
import type { HostAddress } from './parse-command-options.js';
import type { Workspace } from './workspace.js';

/** Of a build: how its commands are run. */
export interface CommandOptions {
  /** What signs for commands over SSH, by id; `parseAgent` reads them from text. */
  readonly agents?: Readonly<Record<string, BuildAgent>> | undefined;
  /** Of commands, instead of what they say. `host` needs no entitlement. */
  readonly network?: 'default' | 'none' | 'host' | undefined;
  /** What commands may ask for that is not for every Dockerfile. */
  readonly entitlements?: readonly Entitlement[] | undefined;
  /** For `/etc/hosts` of commands; `parseHost` reads them from text. */
  readonly extraHosts?: readonly HostAddress[] | undefined;
  /** Of `/dev/shm` of commands, in bytes. @default 64 MiB */
  readonly shmSizeBytes?: number | undefined;
  /** Of commands; `parseLimit` reads them from text. */
  readonly limits?: readonly ResourceLimit[] | undefined;
  /** Files that a command has given to nobody knows whom are an error, not a warning. */
  readonly strictOwnership?: boolean | undefined;
  /** Keep what a command that fails leaves, for `openFailedCommand`, until the next one. */
  readonly keepFailed?: boolean | undefined;
  /** When a command has failed, open a shell on the streams of this process where it ran. */
  readonly debugShell?: boolean | undefined;
}

export interface CommandSettingsOptions extends CommandOptions {
  readonly store: Store;
  readonly sandbox: () => Promise<Sandbox>;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly directory?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What commands are run with, and what ends whatever was started for them. */
export interface OpenedCommands {
  readonly settings: CommandSettings;
  close(): Promise<void>;
}

export function openCommands(options: CommandSettingsOptions, workspace: Workspace): OpenedCommands {
  const { store, sandbox, buildArgs = {}, env = {}, directory = '.', signal } = options;
  const { temporary, secrets } = workspace;
  const agents = buildAgents(options.agents ?? {}, { directory, env, temporary, signal });
  return {
    settings: {
      sandbox,
      roots: lazy(async () => {
        const { createRoots } = await import('../snapshot/create-roots.js');
        return createRoots({ store, sandbox: await sandbox() });
      }),
      cacheFolders: store.cacheFolders(),
      cacheNamespace: buildArgs['BUILDKIT_CACHE_MOUNT_NS'] ?? '',
      secrets,
      agents,
      hostname: buildArgs['BUILDKIT_SANDBOX_HOSTNAME'] || 'buildkitsandbox',
      network: options.network,
      extraHosts: options.extraHosts ?? [],
      shmSizeBytes: options.shmSizeBytes,
      limits: options.limits ?? [],
      strictOwnership: options.strictOwnership ?? false,
      keepFailed: options.keepFailed ?? false,
    },
    close: () => agents.close(),
  };
}
