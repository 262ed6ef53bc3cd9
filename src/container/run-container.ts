import { FileAccess } from '../build/file-access.js';
import { makeSystemFolders } from '../build/run/system-folders.js';
import { accountFiles } from '../build/stage-files.js';
import { LadingError } from '../errors/errors.js';
import { diffTrees } from '../layer/diff.js';
import { removeFiles } from '../layer/remove-files.js';
import type { Sandbox, SandboxMount } from '../sandbox/sandbox.js';
import { createRoots } from '../snapshot/create-roots.js';
import { encodeIdentity, identifyOther, identifyProcess } from '../store/process-identity.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import { applyLayer } from '../tree/apply-layer.js';
import { lookup } from '../tree/lookup.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';
import { processAccount } from '../tree/process-account.js';
import { claimPorts } from './claim-ports.js';
import type { Container, ContainerFailure } from './container.js';
import { ContainerLog } from './container-log.js';
import { ContainerShelf } from './container-shelf.js';
import { containerTree } from './container-tree.js';

export interface RunContainerOptions extends CallOptions {
  readonly store: Store;
  readonly sandbox: Sandbox;
  /** The process reads and writes the streams of this one, a terminal among them; nothing is logged then. */
  readonly attached?: boolean | undefined;
  readonly onOutput?: ((stream: 'stdout' | 'stderr', chunk: Uint8Array) => void) | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Runs the process of a container to its end, and keeps what it has changed.
 * @returns the container as it then is
 * @throws LadingError USAGE when it runs already; RUN_UNAVAILABLE
 */
export async function runContainer(container: Container, options: RunContainerOptions): Promise<Container> {
  const { store, now, signal } = options;
  const shelf = new ContainerShelf(store);
  const lease = await store.lease();
  try {
    const runner = encodeIdentity(identifyProcess(), container.id);
    const running = await shelf.update(
      container.id,
      state => {
        if (state.runner !== undefined) throw alreadyRunning(state);
        const { finishedMs: _, exitCode: __, failure: ___, kept: ____, ...rest } = state;
        return { ...rest, status: 'running', startedMs: now(), runner };
      },
      { signal },
    );
    let ended: Partial<Container> = { exitCode: 125 };
    try {
      const ports = await claimPorts(running.process.publish);
      ended = await execute({ ...running, ports }, options);
    } catch (error) {
      if (!signal?.aborted) ended = { ...ended, failure: failureOf(error, now()) };
      throw error;
    } finally {
      // Whatever happened, also when it was told to stop: it runs no more.
      await shelf.update(container.id, state => {
        const { runner: _, keeper: __, ports: ___, kept: ____, ...rest } = state;
        return {
          ...rest,
          status: 'exited',
          finishedMs: now(),
          ...ended,
          ...(signal?.aborted ? { exitCode: 137 } : {}),
        };
      });
    }
    return await shelf.find(container.id);
  } finally {
    await lease.release();
  }
}

function failureOf(error: unknown, timeMs: number): ContainerFailure {
  const { message, hint } = error as { readonly message: string; readonly hint?: string | undefined };
  return { timeMs, message, hint };
}

async function execute(
  container: Container,
  { store, sandbox, attached, onOutput, signal, now }: RunContainerOptions,
): Promise<{ readonly exitCode: number; readonly layers: readonly LayerRef[] }> {
  const { process: settings, imageLayers, layers } = container;
  const tree = await containerTree(store, container, { signal });
  const files = new FileAccess(store);
  const account = processAccount(settings.user, await accountFiles(tree, files, { signal }));
  const state = { layers, baseLayers: imageLayers, tree };
  const roots = createRoots({ store, sandbox });
  const shelf = new ContainerShelf(store);
  const folder = await shelf.rootFolder(container.id);
  await removeFiles(folder);
  const root = await roots.open(state, { folder, signal });
  const log = attached ? undefined : await ContainerLog.open(await shelf.logFile(container.id), now);
  // What stops it stops the process; its files are kept all the same.
  const stopped = new AbortController();
  const stop = (): void => stopped.abort(signal?.reason);
  signal?.addEventListener('abort', stop);
  try {
    makeSystemFolders(root.root, tree, Math.floor(now() / 1000));
    let exitCode = 137;
    let owners: Parameters<typeof root.changes>[0]['owners'];
    try {
      const result = await sandbox.run({
        root: root.root,
        argv: settings.argv,
        env: withHome(settings.env, account.home),
        cwd: settings.cwd,
        user: { uid: account.uid, gid: account.gid, groups: account.groups.filter(group => group !== account.gid) },
        hostname: settings.hostname,
        hostnameFile: true,
        network: settings.network,
        ports: container.ports,
        extraHosts: settings.extraHosts,
        mounts: mountsOf(container),
        shmSizeBytes: settings.shmSizeBytes,
        limits: settings.limits,
        security: settings.privileged ? 'insecure' : 'sandbox',
        ownerBefore: path => lookup(tree, path, { follow: false })?.node,
        readOnly: settings.readOnly,
        input: attached ? 'inherit' : 'none',
        onOutput: (stream, chunk) => {
          log?.add(stream, chunk);
          onOutput?.(stream, chunk);
        },
        onStarted: async pid => {
          const keeper = identifyOther(pid);
          await shelf.update(container.id, state => ({
            ...state,
            ports: container.ports,
            keeper: keeper && encodeIdentity(keeper, container.id),
          }));
        },
        signal: stopped.signal,
      });
      exitCode = result.exitCode;
      owners = result.owners;
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
    }
    const after = await root.changes({ owners, user: { uid: account.uid, gid: account.gid } });
    const layer = await packChanges(store, tree, after);
    if (layer === undefined) return { exitCode, layers };
    const kept = [...layers, layer];
    // From here on what was changed is safe; without the root, if that gets lost.
    await shelf.update(container.id, now => ({ ...now, layers: kept, exitCode, kept: true }));
    await root.keep({ ...state, layers: kept, tree: applyLayer(tree, await store.layerIndex(layer), layer) });
    return { exitCode, layers: kept };
  } finally {
    signal?.removeEventListener('abort', stop);
    await log?.close();
    await root.close();
  }
}

/** The layer with what has changed; none when nothing has. Times stay as they are: it is no image yet. */
export async function packChanges(
  store: Store,
  before: DirectoryNode,
  after: DirectoryNode,
  options: CallOptions = {},
): Promise<LayerRef | undefined> {
  for (const _ of diffTrees(before, after)) {
    return (await store.packLayer(diffTrees(before, after), { ...options, level: 1 })).layer;
  }
  return undefined;
}

function mountsOf({ process: settings }: Container): SandboxMount[] {
  const mounts: SandboxMount[] = [
    ...settings.volumes.map(volume => ({ type: 'bind', ...volume }) as const),
    ...settings.tmpfs.map(tmpfs => ({ type: 'tmpfs', ...tmpfs, readOnly: false }) as const),
  ];
  // Parents before what lies in them.
  return mounts.sort((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0));
}

function withHome(env: readonly string[], home: string): readonly string[] {
  return env.some(entry => entry.startsWith('HOME=')) ? env : [...env, `HOME=${home}`];
}

function alreadyRunning({ name }: Container): LadingError<'USAGE'> {
  return new LadingError('USAGE', `${name} is running already`, {
    details: {},
    hint: `Stop it first: lading stop ${name}`,
  });
}
