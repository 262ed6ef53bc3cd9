import { FileAccess } from '../build/file-access.js';
import type { GitRepositories, RemoteFiles, Secrets } from '../build/inputs.js';
import { removeFiles } from '../layer/remove-files.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import type { PullPolicy } from './base-images.js';
import { type BuildSecret, buildSecrets } from './build-secrets.js';
import { gitRepositories } from './git-repositories.js';
import type { RegistryAccess } from './registry-access.js';
import { remoteFiles } from './remote-files.js';

export interface WorkspaceOptions extends CallOptions {
  readonly store: Store;
  readonly secrets?: Readonly<Record<string, BuildSecret>> | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly pull?: PullPolicy | undefined;
  readonly registry?: RegistryAccess | undefined;
  readonly directory?: string | undefined;
}

/** What a build, or a look at one, fetches with, and the folder for what it needs only for as long as it takes. */
export interface Workspace {
  readonly remote: RemoteFiles;
  readonly git: GitRepositories;
  readonly files: FileAccess;
  readonly secrets: Secrets;
  /** Gives the folder. It is made, and the store held, when this is first asked for. */
  temporary(): Promise<string>;
  close(): Promise<void>;
}

/** @throws LadingError IO, SIZE_EXCEEDED for secrets */
export async function openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { store, registry, signal, env = {} } = options;
  const secrets = await buildSecrets(options.secrets ?? {}, { directory: options.directory ?? '.', signal });
  const offline = options.pull === 'never';
  let opened: ReturnType<typeof held> | undefined;
  const temporary = async (): Promise<string> => {
    opened ??= held(store);
    return (await opened).folder;
  };
  const remote = remoteFiles({
    store,
    offline,
    secrets,
    proxy: registry?.proxy,
    userAgent: registry?.userAgent,
    onRetry: ({ url, reason }) => registry?.onWarning?.(`${url}: ${reason}; trying again`),
  });
  return {
    remote: {
      async fetch(address, call) {
        await temporary();
        return await remote.fetch(address, call);
      },
    },
    git: gitRepositories({ directory: temporary, env, secrets, offline }),
    files: new FileAccess(store),
    secrets,
    temporary,
    async close() {
      await remote.close();
      if (opened === undefined) return;
      const { folder, release } = await opened;
      await removeFiles(folder);
      await release();
    },
  };
}

async function held(store: Store): Promise<{ folder: string; release: () => Promise<void> }> {
  const lease = await store.lease();
  return { folder: await store.workFolder(), release: () => lease.release() };
}
