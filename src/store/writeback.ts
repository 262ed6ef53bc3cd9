import type { FileHandle } from 'node:fs/promises';

const stretch = 32 * 1024 * 1024;

/**
 * Lets the disk begin with a large file while more is written: else all of it would be waited for in the end. Whoever needs
 * it there flushes it all the same.
 */
export class Writeback {
  readonly #handle: FileHandle;
  #unflushed = 0;
  #flushing: Promise<void> | undefined;
  #failure: unknown;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** So much has been written. */
  wrote(bytes: number): void {
    this.#unflushed += bytes;
    if (this.#unflushed < stretch || this.#flushing !== undefined) return;
    this.#unflushed = 0;
    this.#flushing = this.#flush();
  }

  /** To be awaited before the file is flushed or closed. Fails as that would have: the system says it only once. */
  async ended(): Promise<void> {
    await this.#flushing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #flush(): Promise<void> {
    try {
      await this.#handle.datasync();
    } catch (error) {
      this.#failure = error;
    }
    this.#flushing = undefined;
  }
}
