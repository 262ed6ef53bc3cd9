import { setTimeout as sleep } from 'node:timers/promises';
import { FileAccess } from '../build/file-access.js';
import { accountFiles } from '../build/stage-files.js';
import { LadingError } from '../errors/errors.js';
import { removeFiles } from '../layer/remove-files.js';
import { findUserNamespace } from '../sandbox/user-namespace.js';
import { UserNamespaceNeeded } from '../sandbox/user-namespace-needed.js';
import { createRoots } from '../snapshot/create-roots.js';
import { findRoot } from '../snapshot/left-root.js';
import { idMap } from '../snapshot/snapshot-shelf.js';
import { decodeIdentity, isAlive } from '../store/process-identity.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import type { LayerRef } from '../tree/node.js';
import { processAccount } from '../tree/process-account.js';
import type { Container } from './container.js';
import { ContainerShelf } from './container-shelf.js';
import { containerTree } from './container-tree.js';
import { packChanges } from './run-container.js';
import { withoutMountPoints } from './without-mount-points.js';

export interface RecoverOptions extends CallOptions {
  readonly store: Store;
  /** The caller can start itself anew in a user namespace: where files of others have to be read, it is told to. */
  readonly mayEnter?: boolean | undefined;
  /** PATH, to find the programs for that in. */
  readonly path?: string | undefined;
}

const pollMs = 20;
/** How long the processes of somebody who was killed have to end. */
const patienceMs = 10_000;

/**
 * Keeps what the process of a container had changed when whoever ran it was killed, as if the process had been killed
 * alone. Nothing happens to others. Can be killed in turn, and begun anew.
 * @throws UserNamespaceNeeded
 */
export async function recoverContainer(container: Container, options: RecoverOptions): Promise<Container> {
  if (!isInterrupted(container)) return container;
  const { store, signal } = options;
  const shelf = new ContainerShelf(store);
  const work = async (): Promise<Container> => {
    const now = await shelf.find(container.id);
    if (!isInterrupted(now)) return now;
    await whenEnded(now, signal);
    const folder = await shelf.rootFolder(now.id);
    await requireUsers(now, options);
    const layers = now.kept ? now.layers : await leftLayers(now, folder, options);
    const recovered = await shelf.update(now.id, state => {
      const { runner: _, keeper: __, ports: ___, kept: ____, ...rest } = state;
      return { ...rest, status: 'exited', exitCode: state.exitCode ?? 137, layers };
    });
    await removeFiles(folder);
    return recovered;
  };
  const lease = await store.lease();
  try {
    return await shelf.alone(container.id, work, { signal });
  } finally {
    await lease.release();
  }
}

/** Removes what is left of the root of a container that is to be forgotten. */
export async function removeRoot(container: Container, options: RecoverOptions): Promise<void> {
  const folder = await new ContainerShelf(options.store).rootFolder(container.id);
  if (isInterrupted(container)) await whenEnded(container, options.signal);
  await removeFiles(folder);
}

function isInterrupted({ status, runner }: Container): boolean {
  return status !== 'running' && runner !== undefined;
}

/** What a process has left can change as long as one lives that it has started. */
async function whenEnded({ keeper, name }: Container, signal: AbortSignal | undefined): Promise<void> {
  const identity = decodeIdentity(keeper ?? '');
  if (identity === undefined) return;
  const deadline = performance.now() + patienceMs;
  while (isAlive(identity, 0)) {
    if (performance.now() > deadline) {
      throw new LadingError('USAGE', `what ran ${name} was killed, but its process still lives`, {
        details: {},
        hint: `End it first: kill -9 ${identity.pid}`,
      });
    }
    await sleep(pollMs, undefined, { signal });
  }
}

/** Files of others can be read and deleted where ids of users mean what they meant. @throws UserNamespaceNeeded */
export async function requireUsers(
  { id, name }: Container,
  { store, mayEnter = false, path = '' }: RecoverOptions,
): Promise<void> {
  const left = await findRoot(await new ContainerShelf(store).rootFolder(id));
  if (left === undefined || left.users === idMap()) return;
  const namespace = mayEnter ? await findUserNamespace(path) : undefined;
  if (namespace !== undefined && !('missing' in namespace)) throw new UserNamespaceNeeded(namespace);
  throw new LadingError('USAGE', `what ${name} has left belongs to users that this process cannot act for`, {
    details: {},
    hint: 'Do it as the user who has run it, and in the same user namespace.',
  });
}

async function leftLayers(container: Container, folder: string, options: RecoverOptions): Promise<readonly LayerRef[]> {
  const { store, signal } = options;
  const { layers, imageLayers } = container;
  const left = await findRoot(folder);
  if (left === undefined) return layers;
  const tree = await containerTree(store, container, { signal });
  const files = await accountFiles(tree, new FileAccess(store), { signal });
  const { uid, gid } = processAccount(container.process.user, files);
  const root = await createRoots({ store, sandbox: left }).reopen({ layers, baseLayers: imageLayers, tree }, folder);
  const after = await root.changes({ user: { uid, gid } }, { signal });
  const layer = await packChanges(store, tree, withoutMountPoints(tree, after, container), { signal });
  return layer === undefined ? layers : [...layers, layer];
}
