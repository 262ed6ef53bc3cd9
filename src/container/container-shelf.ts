import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { encodeJson } from '../oci/json.js';
import { FileLock } from '../store/file-lock.js';
import { decodeIdentity, isAlive } from '../store/process-identity.js';
import { RecordFiles, recordFolders } from '../store/record-files.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import { type Container, containerSchema } from './container.js';

/** The containers of a store. */
export class ContainerShelf {
  readonly #root: string;
  readonly #records: RecordFiles;
  readonly #lock: FileLock;

  constructor(store: Pick<Store, 'root' | 'workFolder'>) {
    this.#root = store.root;
    this.#records = new RecordFiles(
      store.root,
      async () => join(await store.workFolder(), 'record'),
      recordFolders.containers,
    );
    this.#lock = new FileLock(join(store.root, 'locks', 'containers'));
  }

  /** The newest first. */
  async list(): Promise<Container[]> {
    const found: Container[] = [];
    for await (const { record } of this.#records.list()) {
      const container = record && decode(record.body);
      if (container !== undefined) found.push(await this.#seen(container));
    }
    return found.sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1));
  }

  /**
   * By name, by id, or by so much of an id that only one begins with it.
   * @throws LadingError CONTAINER_NOT_FOUND
   */
  async find(text: string): Promise<Container> {
    const all = await this.list();
    const exact = all.find(({ id, name }) => name === text || id === text);
    if (exact !== undefined) return exact;
    const begun = /^[0-9a-f]+$/.test(text) ? all.filter(({ id }) => id.startsWith(text)) : [];
    if (begun.length === 1) return begun[0]!;
    const what = begun.length === 0 ? 'there is no container' : 'more than one container begins with';
    throw new LadingError('CONTAINER_NOT_FOUND', `${what} ${text.slice(0, 100)}`, {
      details: { container: text.slice(0, 100) },
      hint: 'All of them are listed by lading ps -a.',
    });
  }

  /** @throws LadingError USAGE when another container has its name */
  async add(container: Container, options?: CallOptions): Promise<void> {
    await this.#changing(async () => {
      const other = (await this.list()).find(({ name }) => name === container.name);
      if (other !== undefined) {
        throw new LadingError('USAGE', `the container ${other.id.slice(0, 12)} is called ${container.name} already`, {
          details: { option: 'name' },
          hint: `Remove it with lading rm ${container.name}, or take another name.`,
        });
      }
      await this.#write(container);
    }, options);
  }

  /** Changes a container as it is now; the change throws when it cannot be made. */
  async update(id: string, change: (now: Container) => Container, options?: CallOptions): Promise<Container> {
    return await this.#changing(async () => {
      const changed = change(await this.find(id));
      await this.#write(changed);
      return changed;
    }, options);
  }

  async remove({ id }: Container, options?: CallOptions): Promise<void> {
    await this.#changing(async () => {
      for await (const file of this.#records.list()) if (file.key === id) await this.#records.remove(file);
      await rm(await this.logFile(id), { force: true });
    }, options);
  }

  /** Where the root of a container is while it runs, and stays when whoever runs it is killed. */
  async rootFolder(id: string): Promise<string> {
    const folder = join(this.#root, 'containers', 'roots');
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch(error => {
      throw ioError(error, folder);
    });
    return join(folder, id);
  }

  /** Does something with what a container has left, that nobody else does meanwhile. */
  async alone<T>(id: string, work: () => Promise<T>, options?: CallOptions): Promise<T> {
    return await new FileLock(join(this.#root, 'locks', `container-${id}`)).hold(work, options);
  }

  /** Where the output of its process is kept: a line of JSON for each piece. */
  async logFile(id: string): Promise<string> {
    const folder = join(this.#root, 'containers', 'logs');
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch(error => {
      throw ioError(error, folder);
    });
    return join(folder, id);
  }

  async #changing<T>(work: () => Promise<T>, options?: CallOptions): Promise<T> {
    const folder = join(this.#root, 'locks');
    await mkdir(folder, { recursive: true }).catch(error => {
      throw ioError(error, folder);
    });
    return await this.#lock.hold(work, options);
  }

  async #write(container: Container): Promise<void> {
    const body = Buffer.from(encodeJson({ version: 1, ...container }));
    await this.#records.put(container.id, { body, blobs: container.layers.map(({ blob }) => blob.digest) });
  }

  /** As it is now: of one that is said to run, whoever ran it may be gone. */
  async #seen(container: Container): Promise<Container> {
    if (container.status !== 'running') return container;
    const identity = decodeIdentity(container.runner ?? '');
    if (identity !== undefined && isAlive(identity, 0)) return container;
    return { ...container, status: 'exited', exitCode: container.exitCode ?? 137, ports: undefined };
  }
}

function decode(body: Uint8Array): Container | undefined {
  try {
    const parsed = containerSchema.safeParse(JSON.parse(Buffer.from(body).toString('utf8')));
    if (!parsed.success) return undefined;
    const { version: _, ...container } = parsed.data;
    return container as Container;
  } catch {
    return undefined;
  }
}
