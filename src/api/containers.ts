import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { commitContainer as commit } from '../container/commit-container.js';
import type { Container } from '../container/container.js';
import { type ContainerChange, containerChanges } from '../container/container-changes.js';
import { type LogEntry, readLog } from '../container/container-log.js';
import type { ProcessOptions } from '../container/container-process.js';
import { ContainerShelf } from '../container/container-shelf.js';
import { containerTree, containerTrees } from '../container/container-tree.js';
import { copyIn, filesOf, findFiles, whileRunning } from '../container/copy-files.js';
import { createContainer as create } from '../container/create-container.js';
import { recoverContainer, removeRoot, requireUsers } from '../container/recover-container.js';
import { runContainer } from '../container/run-container.js';
import { stopContainer as stop } from '../container/stop-container.js';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { openImage } from '../image/image.js';
import { contentReader } from '../layer/content-reader.js';
import { writeTar } from '../layer/write-tar.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isDigest } from '../oci/digest.js';
import { type Platform, parsePlatform } from '../oci/platform.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import { baseImages, type PullPolicy } from './base-images.js';
import type { TransferOptions } from './registry-access.js';

/** Containers: processes in images, and what they change. `container` is a name, an id, or the beginning of one. */

export interface CreateContainerOptions extends TransferOptions {
  readonly store: Store;
  readonly host: Platform;
  readonly platform?: string | undefined;
  /** @default 'missing' */
  readonly pull?: PullPolicy | undefined;
  readonly name?: string | undefined;
  readonly process?: ProcessOptions | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Makes a container of an image, which is pulled when the store lacks it. It does not run yet. */
export async function createContainer(image: string, options: CreateContainerOptions): Promise<Container> {
  const { store, host, signal, now } = options;
  const platform = options.platform === undefined ? host : parsePlatform(options.platform, host);
  const { onEvent } = options;
  const images = baseImages({
    ...options,
    pull: options.pull ?? 'missing',
    onEvent: onEvent && ((_, event) => onEvent(event)),
  });
  const opened = isDigest(image)
    ? await openImage(store, await store.resolve(image, { signal }), { platform, signal })
    : await images.open(image, platform, { signal });
  return await create({
    store,
    image: opened,
    imageName: image,
    name: options.name,
    process: options.process ?? {},
    nowMs: now(),
    signal,
  });
}

export interface StartContainerOptions extends CallOptions {
  readonly store: Store;
  /** What runs it: `chooseSandbox` finds the best that this machine allows. */
  readonly sandbox: Sandbox;
  /** The process gets the streams of this one, a terminal among them; its output is not kept then. */
  readonly attached?: boolean | undefined;
  readonly onOutput?: ((stream: 'stdout' | 'stderr', chunk: Uint8Array) => void) | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Runs the process of a container to its end, and keeps what it has changed. */
export async function startContainer(container: string, options: StartContainerOptions): Promise<Container> {
  const { store, sandbox } = options;
  const found = await recoverContainer(await new ContainerShelf(store).find(container), options);
  const start = { line: 1, column: 1 };
  await sandbox.check({ title: found.process.argv.join(' '), range: { file: found.name, start, end: start } });
  return await runContainer(found, options);
}

export interface ContainerOptions extends CallOptions {
  readonly store: Store;
  /**
   * The caller can start itself anew in a user namespace, and does so when {@link UserNamespaceNeeded} is thrown: where
   * somebody was killed who ran a container, and has left files of others.
   */
  readonly mayEnter?: boolean | undefined;
  /** PATH, to find the programs for that in. */
  readonly path?: string | undefined;
}

/** All containers, the newest first. */
export async function listContainers({ store }: ContainerOptions): Promise<Container[]> {
  return await new ContainerShelf(store).list();
}

/** @throws LadingError CONTAINER_NOT_FOUND */
export async function findContainer(container: string, { store }: ContainerOptions): Promise<Container> {
  return await new ContainerShelf(store).find(container);
}

export interface StopContainerOptions extends ContainerOptions {
  /** How long the process has to end by itself. @default 10 s */
  readonly graceMs?: number | undefined;
}

/** Asks the process to end, then ends it; what it has changed is kept. */
export async function stopContainer(container: string, options: StopContainerOptions): Promise<Container> {
  return await stop(await new ContainerShelf(options.store).find(container), options);
}

export interface RemoveContainersOptions extends ContainerOptions {
  /** Also when it runs: it is ended first. */
  readonly force?: boolean | undefined;
}

/** Removes containers with what they have changed: all, or none. @throws LadingError USAGE while one runs */
export async function removeContainers(
  containers: readonly string[],
  options: RemoveContainersOptions,
): Promise<Container[]> {
  const { store, force, signal } = options;
  const shelf = new ContainerShelf(store);
  const found: Container[] = [];
  for (const text of containers) {
    const container = await shelf.find(text);
    if (container.status === 'running' && !force) {
      throw new LadingError('USAGE', `${container.name} is running`, {
        details: {},
        hint: `Stop it first, with lading stop ${container.name}, or with --force.`,
      });
    }
    await requireUsers(container, options);
    if (!found.some(({ id }) => id === container.id)) found.push(container);
  }
  for (const container of found) {
    await stop(container, { store, graceMs: 0, signal });
    await removeRoot(await shelf.find(container.id), options);
    await shelf.remove(container, { signal });
  }
  return found;
}

/** What is not as in the image. */
export async function containerDiff(container: string, options: ContainerOptions): Promise<ContainerChange[]> {
  const { store, signal } = options;
  const found = await idle(container, options);
  const { before, after } = await containerTrees(store, found, { signal });
  return [...containerChanges(before, after)];
}

export interface CommitContainerOptions extends ContainerOptions {
  readonly name?: string | undefined;
  readonly author?: string | undefined;
  readonly message?: string | undefined;
  /** Instructions of a Dockerfile that change the configuration. */
  readonly changes?: readonly string[] | undefined;
  /** What no time in the image is later than, in seconds since 1970. */
  readonly epoch: number;
}

/** Makes an image of a container: the same changes make the same image. */
export async function commitContainer(container: string, options: CommitContainerOptions): Promise<Descriptor> {
  return await commit(await idle(container, options), options);
}

/** Writes all files of a container, as a tar, to a stream. */
export async function exportContainer(container: string, target: Writable, options: ContainerOptions): Promise<void> {
  const { store, signal } = options;
  const tree = await containerTree(store, await idle(container, options), { signal });
  await pipeline(writeTar(filesOf(tree), { read: contentReader(store), signal }), target, { signal, end: false });
}

export interface ReadContainerLogOptions extends ContainerOptions {
  /** Go on until the process has ended. */
  readonly follow?: boolean | undefined;
}

/** What the process has written, over all of its runs. */
export async function* containerLog(container: string, options: ReadContainerLogOptions): AsyncGenerator<LogEntry> {
  const { store, follow, signal } = options;
  const shelf = new ContainerShelf(store);
  const { id } = await shelf.find(container);
  const runs = async (): Promise<boolean> => (await shelf.find(id)).status === 'running';
  yield* readLog(await shelf.logFile(id), { follow: follow ? runs : undefined, signal });
}

/** Copies a file or folder of this machine into a container, by the rules of `docker cp`. */
export async function copyToContainer(
  source: string,
  container: string,
  destination: string,
  options: ContainerOptions,
): Promise<void> {
  const { store, signal } = options;
  const found = await idle(container, options);
  const contents = /(?:^|\/)\.$/.test(source);
  const path = resolve(source);
  const folder = await isFolder(path);
  const host = folder
    ? { folder: path, file: false, name: basename(path), contents }
    : { folder: dirname(path), file: true, name: basename(path), contents: false };
  await copyIn(found, host, destination, { store, signal });
}

/** Copies a file or folder of a container to this machine, by the rules of `docker cp`. Its files belong to whoever does. */
export async function copyFromContainer(
  container: string,
  source: string,
  destination: string,
  options: ContainerOptions & { readonly follow?: boolean | undefined },
): Promise<void> {
  const { store, signal } = options;
  const found = await idle(container, options);
  const path = resolve(destination);
  const into = await isFolder(path);
  const contents = /(?:^|\/)\.$/.test(source);
  const name = into ? basename(source.replace(/\/+\.?$/, '')) || '.' : basename(path);
  const { tree, node } = await findFiles(found, source, {
    store,
    name,
    contents,
    follow: options.follow ?? false,
    signal,
  });
  const target = into ? path : contents && node.type === 'directory' ? path : dirname(path);
  await store.unpack(filesOf(tree), target, { ownership: 'none', signal });
}

/** The same as a tar, to a stream. */
export async function archiveFromContainer(
  container: string,
  source: string,
  target: Writable,
  options: ContainerOptions & { readonly follow?: boolean | undefined },
): Promise<void> {
  const { store, signal } = options;
  const found = await idle(container, options);
  const name = basename(source.replace(/\/+\.?$/, '')) || '.';
  const contents = /(?:^|\/)\.$/.test(source) || name === '.';
  const { tree } = await findFiles(found, source, { store, name, contents, follow: options.follow ?? false, signal });
  await pipeline(writeTar(filesOf(tree), { read: contentReader(store), signal }), target, { signal, end: false });
}

/** A container that does not run, with what its last process has changed. */
async function idle(container: string, options: ContainerOptions): Promise<Container> {
  const found = await new ContainerShelf(options.store).find(container);
  if (found.status === 'running') throw whileRunning(found);
  return await recoverContainer(found, options);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw ioError(error, path);
  }
}
