import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from './durable.js';
import { frame, readFramed } from './framed-file.js';
import { onFile } from './io-error.js';

const notesKind = 'context 1';

/** `cache/context/<key>` of the store: what is known of files outside. Any of it can be deleted at any time. */
export class ContextFiles {
  readonly #folder: string;
  readonly #temporary: () => Promise<string>;

  constructor(root: string, temporary: () => Promise<string>) {
    this.#folder = join(root, 'cache', 'context');
    this.#temporary = temporary;
  }

  /** `undefined` when there is none or it is damaged. */
  async get(key: string): Promise<Buffer | undefined> {
    const payload = await readFramed(notesKind, join(this.#folder, key));
    return payload === 'damaged' ? undefined : payload;
  }

  /** Of several at the same time the last one stays, whole. */
  async put(key: string, payload: readonly Uint8Array[]): Promise<void> {
    const path = join(this.#folder, key);
    await onFile(path, () => mkdir(dirname(path), { recursive: true }));
    await replaceFile(path, frame(notesKind, payload), { temporary: await this.#temporary(), durable: false });
  }
}
