import { join } from 'node:path';
import { recordKey } from '../../cache/record.js';
import { LadingError } from '../../errors/errors.js';
import type { CacheMount, RunMount, SecretMount, SshMount } from '../../plan/run-mount.js';
import type { RunStep } from '../../plan/step.js';
import type { SandboxMount } from '../../sandbox/sandbox.js';
import type { CallOptions } from '../../stream/bytes.js';
import { lookup } from '../../tree/lookup.js';
import type { DirectoryNode } from '../../tree/node.js';
import type { CacheFolder } from '../inputs.js';
import { agentSocket } from './agent-socket.js';
import type { BindFolders } from './bind-folders.js';
import { type BoundFiles, contentPath, requireFolder } from './bound-files.js';
import { cacheSource } from './cache-source.js';
import type { CommandSettings } from './command-settings.js';
import { give, memoryFolder, type PrivateFolder, privateFolder } from './private-folder.js';

export interface OpenMountsOptions extends CallOptions {
  readonly settings: CommandSettings;
  readonly bound: ReadonlyMap<RunMount, BoundFiles>;
  readonly folders: BindFolders;
  /** What the mounts are made in. */
  readonly tree: DirectoryNode;
  /** Caches begin anew. */
  readonly fresh: boolean;
  /** A folder of the build's own. */
  readonly temporary: string;
}

/** What the kernel takes for the path of a socket, and a few bytes less. */
const longestSocketPath = 100;

/** The mounts of one command, ready to be made. */
export interface OpenedMounts {
  readonly mounts: readonly SandboxMount[];
  /** Variables that are secrets. */
  readonly env: ReadonlyMap<string, string>;
  /** What must not be shown of the command's output. */
  readonly secrets: readonly Buffer[];
  /** Takes everything away that was made for the command alone. */
  close(): Promise<void>;
}

/** Makes ready what a command mounts, in the order of the step. When it fails, nothing stays. */
export async function openMounts(step: RunStep, options: OpenMountsOptions): Promise<OpenedMounts> {
  const opening = new Opening(options);
  try {
    await opening.takeCaches(step.mounts.filter(mount => mount.type === 'cache'));
    if (step.script !== undefined) await opening.script(step.script.path, step.script.content);
    for (const mount of step.mounts) await opening.open(mount);
  } catch (error) {
    await opening.close();
    throw error;
  }
  return opening;
}

class Opening implements OpenedMounts {
  readonly mounts: SandboxMount[] = [];
  readonly env = new Map<string, string>();
  readonly secrets: Buffer[] = [];
  readonly #options: OpenMountsOptions;
  readonly #closers: Array<() => Promise<void>> = [];
  /** By key. */
  readonly #caches = new Map<string, CacheFolder>();
  #memory: PrivateFolder | undefined;
  #disk: PrivateFolder | undefined;

  constructor(options: OpenMountsOptions) {
    this.#options = options;
  }

  /**
   * Takes the folders of all caches, each once, whatever the number of places where it is seen. Commands may wait for one
   * another here: the order is the same for all of them, so that none waits for one that waits for it.
   */
  async takeCaches(mounts: readonly CacheMount[]): Promise<void> {
    const wanted = new Map(mounts.toReversed().map(mount => [this.#cacheKey(mount), mount]));
    for (const key of [...wanted.keys()].sort()) {
      const folder = await this.#takeCache(key, wanted.get(key)!);
      this.#closers.push(() => folder.release());
      this.#caches.set(key, folder);
    }
  }

  async open(mount: RunMount): Promise<void> {
    const { bound, folders, signal } = this.#options;
    switch (mount.type) {
      case 'bind': {
        const folder = await folders.open(bound.get(mount)!, { writable: !mount.readOnly, signal });
        this.#closers.push(() => folder.release());
        this.#bind(contentPath(folder.path), mount.target, mount.readOnly);
        return;
      }
      case 'cache':
        this.#cache(mount);
        return;
      case 'tmpfs': {
        const { target, sizeBytes, readOnly } = mount;
        // As with Docker, it looks like what it lies over, and is open to all where that is nothing.
        const over = lookup(this.#options.tree, target)?.node;
        const mode = over?.type === 'directory' ? over.mode : 0o1777;
        this.mounts.push({ type: 'tmpfs', target, sizeBytes, mode, readOnly });
        return;
      }
      case 'secret':
        return await this.#secret(mount);
      case 'ssh':
        return await this.#agent(mount);
    }
  }

  /** A program of the Dockerfile itself. */
  async script(target: string, content: string): Promise<void> {
    const permissions = { mode: 0o755, uid: 0, gid: 0 };
    // Programs cannot be executed from what is in memory on every machine.
    const source = await (await this.#diskFolder()).write('script', Buffer.from(content, 'utf8'), permissions);
    this.#bind(source, target, true);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  #cacheKey(mount: CacheMount): string {
    const { settings, bound } = this.#options;
    const { id, permissions } = mount;
    const files = bound.get(mount)?.exactDigest;
    return recordKey({ namespace: settings.cacheNamespace, id, files, permissions: permissions && { ...permissions } });
  }

  async #takeCache(key: string, mount: CacheMount): Promise<CacheFolder> {
    const { settings, bound, folders, fresh, signal } = this.#options;
    const { permissions, sharing } = mount;
    const files = bound.get(mount);
    if (files !== undefined) requireFolder(files, mount);
    return await settings.cacheFolders.open(key, {
      sharing,
      fresh,
      signal,
      fill: async path => {
        if (files !== undefined) await folders.write(files, path, { signal });
        else await folders.empty(path);
        if (permissions !== undefined) await give(contentPath(path), permissions);
      },
    });
  }

  #cache(mount: CacheMount): void {
    const folder = this.#caches.get(this.#cacheKey(mount))!;
    // What comes from files of the build is the part of them that was asked for already.
    const inside = this.#options.bound.has(mount) ? '/' : mount.source;
    const source = cacheSource(contentPath(folder.path), inside);
    this.#closers.push(async () => source.close());
    this.#bind(source.path, mount.target, mount.readOnly);
  }

  async #secret({ id, target, env, required, permissions }: SecretMount): Promise<void> {
    const { settings, signal } = this.#options;
    const content = await settings.secrets.read(id, { signal });
    if (content === undefined) {
      if (required) throw missing('secret', id, `secret ${id}: not found`, `--secret id=${id},src=FILE`);
      return;
    }
    this.secrets.push(content);
    if (env !== undefined) this.env.set(env, content.toString('utf8'));
    if (target === undefined) return;
    const name = `secret-${this.mounts.length}`;
    this.#bind(await (await this.#memoryFolder()).write(name, content, permissions), target, true);
  }

  async #agent({ id, target, required, permissions }: SshMount): Promise<void> {
    const { settings, signal } = this.#options;
    const agent = await settings.agents.socket(id, { signal });
    if (agent === undefined) {
      if (required) throw missing('ssh', id, `ssh agent ${id}: not found`, `--ssh ${id}`);
      return;
    }
    const name = `agent-${this.mounts.length}`;
    const disk = await this.#diskFolder();
    // On the disk of the roots a socket can be given another name; but paths of sockets are short.
    const folder = join(disk.path, name).length <= longestSocketPath ? disk : await this.#memoryFolder();
    const socket = await agentSocket(name, agent, folder, permissions);
    this.#closers.push(() => socket.close());
    this.#bind(socket.path, target, true);
  }

  #bind(source: string, target: string, readOnly: boolean): void {
    this.mounts.push({ type: 'bind', source, target, readOnly });
  }

  async #memoryFolder(): Promise<PrivateFolder> {
    this.#memory ??= this.#closing(await memoryFolder(this.#options.temporary));
    return this.#memory;
  }

  async #diskFolder(): Promise<PrivateFolder> {
    this.#disk ??= this.#closing(await privateFolder(this.#options.temporary));
    return this.#disk;
  }

  #closing(folder: PrivateFolder): PrivateFolder {
    this.#closers.push(() => folder.remove());
    return folder;
  }
}

function missing(kind: 'secret' | 'ssh', id: string, message: string, option: string): LadingError {
  return new LadingError('SECRET_NOT_FOUND', message, {
    details: { id, kind },
    hint: `Give it to the build: ${option}.`,
  });
}
