import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ContextNotes } from '../content/content.js';
import type { CallOptions } from '../stream/bytes.js';
import { replaceFile } from './durable.js';
import { frame, readFramed } from './framed-file.js';
import { ifExists, onFile } from './io-error.js';

const notesKind = 'context 1';

/** `cache/context/<key>` of the store: what is known of files outside. Any of it can be deleted at any time. */
export class ContextFiles implements ContextNotes {
  readonly #folder: string;
  readonly #temporary: () => Promise<string>;

  constructor(root: string, temporary: () => Promise<string>) {
    this.#folder = join(root, 'cache', 'context');
    this.#temporary = temporary;
  }

  /** `undefined` when there is none or it is damaged. */
  async getNotes(key: string, options: CallOptions = {}): Promise<Buffer<ArrayBuffer> | undefined> {
    options.signal?.throwIfAborted();
    const payload = await readFramed(notesKind, join(this.#folder, key));
    return payload === 'damaged' ? undefined : payload;
  }

  /** Bytes of the file. */
  async notesSize(key: string): Promise<number> {
    const path = join(this.#folder, key);
    return (await ifExists(path, async () => statSync(path)))?.size ?? 0;
  }

  /** Of several at the same time the last one stays, whole. */
  async putNotes(key: string, payload: readonly Uint8Array[], options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    const path = join(this.#folder, key);
    await onFile(path, async () => mkdirSync(dirname(path), { recursive: true }));
    await replaceFile(path, frame(notesKind, payload), { temporary: await this.#temporary(), durable: false });
  }
}
