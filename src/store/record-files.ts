import { mkdirSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredRecord } from '../content/content.js';
import { LadingError } from '../errors/errors.js';
import { isDigest } from '../oci/digest.js';
import { replaceFile } from './durable.js';
import { renew } from './file-lock.js';
import { frame, readFramed } from './framed-file.js';
import { ifExists, onFile } from './io-error.js';

const recordKind = 'record 1';
const keyPattern = /^[0-9a-f]{1,128}$/;

/** A record as it lies on the disk. */
export interface RecordFile {
  readonly key: string;
  readonly path: string;
  readonly size: number;
  /** When it was last of use, in ms since 1970. */
  readonly usedMs: number;
  /** Missing when the file is damaged. */
  readonly record?: StoredRecord | undefined;
}

/** Where records of steps are, and those of containers, which no budget touches. */
export const recordFolders = { steps: join('cache', 'steps'), containers: join('containers', 'records') } as const;

/** A folder of small records that keep blobs alive. The time of a file is when it was last used. */
export class RecordFiles {
  readonly #folder: string;
  readonly #temporary: () => Promise<string>;

  constructor(root: string, temporary: () => Promise<string>, folder: string = recordFolders.steps) {
    this.#folder = join(root, folder);
    this.#temporary = temporary;
  }

  /** `undefined` for a record that is not there or damaged: it can be made again. */
  async get(key: string): Promise<StoredRecord | undefined> {
    const path = this.#path(key);
    const record = await readRecord(path);
    if (record === undefined || record === 'damaged') return undefined;
    await renew(path);
    return record;
  }

  async put(key: string, record: StoredRecord): Promise<void> {
    const path = this.#path(key);
    await onFile(this.#folder, async () => mkdirSync(this.#folder, { recursive: true }));
    const blobs = Buffer.from(`${JSON.stringify(record.blobs)}\n`);
    await replaceFile(path, frame(recordKind, [blobs, record.body]), {
      temporary: await this.#temporary(),
      durable: false,
    });
  }

  async *list(): AsyncGenerator<RecordFile> {
    for (const key of (await ifExists(this.#folder, () => readdir(this.#folder))) ?? []) {
      const path = join(this.#folder, key);
      const stats = await ifExists(path, () => stat(path));
      if (!stats?.isFile()) continue;
      const record = keyPattern.test(key) ? await readRecord(path) : 'damaged';
      if (record === undefined) continue;
      const file = { key, path, size: stats.size, usedMs: stats.mtimeMs };
      yield record === 'damaged' ? file : { ...file, record };
    }
  }

  async remove(file: RecordFile): Promise<void> {
    await onFile(file.path, () => rm(file.path, { force: true }));
  }

  #path(key: string): string {
    if (keyPattern.test(key)) return join(this.#folder, key);
    throw new LadingError('INVALID_VALUE', 'the key of a record is lower-case hexadecimal digits', {
      details: { what: 'record key', value: key.slice(0, 200) },
    });
  }
}

async function readRecord(path: string): Promise<StoredRecord | 'damaged' | undefined> {
  const payload = await readFramed(recordKind, path);
  if (payload === undefined || payload === 'damaged') return payload;
  const end = payload.indexOf(0x0a);
  const blobs = JSON.parse(payload.toString('utf8', 0, end)) as string[];
  return blobs.every(isDigest) ? { body: payload.subarray(end + 1), blobs } : 'damaged';
}
