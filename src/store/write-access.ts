import type { ImageLayout } from './layout.js';
import { type Lease, type Session, sweepDeadSessions } from './session.js';
import { checkStoreVersion, makeStoreFolders } from './store-version.js';

/**
 * What has to be before a store is written to: its folders are there, what killed processes have left is gone, and a lease
 * keeps what is written. Nothing of it is done for whoever only reads.
 */
export class WriteAccess {
  readonly #root: string;
  readonly #layout: ImageLayout;
  readonly #session: Session;
  #ready: Promise<void> | undefined;
  #swept: Promise<void> | undefined;

  constructor(root: string, layout: ImageLayout, session: Session) {
    this.#root = root;
    this.#layout = layout;
    this.#session = session;
  }

  /** Makes the folders of the store. @throws LadingError STORE_VERSION, IO */
  prepare(): Promise<void> {
    this.#ready ??= (async () => {
      await checkStoreVersion(this.#root);
      await makeStoreFolders(this.#root);
      await this.#layout.prepare();
    })().catch(error => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  /** Does work that writes blobs, names or records. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.prepare();
    this.#swept ??= sweepDeadSessions(this.#root);
    await this.#swept;
    return this.#session.run(work);
  }

  /** A path for something in the making, on the file system of the store. */
  async temporary(): Promise<string> {
    await this.prepare();
    return this.#session.temporary();
  }

  /** The same, and what has been written or counted on stays from now on until the store is closed. */
  async leasedTemporary(): Promise<string> {
    await this.prepare();
    await this.#session.use();
    return this.#session.temporary();
  }

  async lease(): Promise<Lease> {
    await this.prepare();
    return this.#session.lease();
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
