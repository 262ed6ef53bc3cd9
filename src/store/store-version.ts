import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LadingError } from '../errors/errors.js';
import { makeFolder } from '../layer/make-folder.js';
import { replaceFile } from './durable.js';
import { ifExists, onFile } from './io-error.js';

/** The layout on disk that this code reads and writes; a change that older code would misread raises it. */
const storeVersion = '1';

/** What a store's root may hold before it has its version file. */
const ownNames = new Set(
  'oci-layout index.json blobs layers cache snapshots mounts transfers tmp locks version'.split(' '),
);

/**
 * Refuses a root that is not a store of ours, before anything is written to it. A plain image layout becomes a store.
 * @throws LadingError STORE_VERSION, PATH_INVALID
 */
export async function checkStoreVersion(root: string): Promise<void> {
  const path = join(root, 'version');
  if ((await ifExists(root, async () => statSync(root)))?.isDirectory() === false) {
    throw new LadingError('PATH_INVALID', `${root} is no folder`, {
      details: { path: root, problem: 'is no folder' },
      hint: 'Give --root a folder that is a store, is empty, or does not exist.',
    });
  }
  const found = await ifExists(path, async () => readFileSync(path, 'utf8'));
  if (found !== undefined) {
    if (found.trim() === storeVersion) return;
    throw new LadingError('STORE_VERSION', `the store at ${root} was written by another version of lading`, {
      details: { path, found: found.trim().slice(0, 100), supported: storeVersion },
      hint: 'Use the version of lading that wrote it, or another --root.',
    });
  }
  const names = (await ifExists(root, async () => readdirSync(root))) ?? [];
  const stranger = names.find(name => !ownNames.has(name) && !name.startsWith('.lading-'));
  if (stranger === undefined) return;
  throw new LadingError('PATH_INVALID', `${root} is not empty and is no store`, {
    details: { path: root, problem: `it holds ${JSON.stringify(stranger)}` },
    hint: 'Give --root a folder that is a store, is empty, or does not exist.',
  });
}

/** Makes the folders of a store; the version comes first, so that a folder half made is known for what it is. */
export async function makeStoreFolders(root: string): Promise<void> {
  await onFile(root, async () => {
    makeFolder(join(root, 'tmp'));
    const path = join(root, 'version');
    if ((await ifExists(path, async () => readFileSync(path))) === undefined) {
      const temporary = join(root, `.lading-${randomUUID()}.tmp`);
      await replaceFile(path, Buffer.from(`${storeVersion}\n`), { temporary, durable: true });
    }
    for (const folder of ['layers/blobs', 'cache/steps', 'locks']) mkdirSync(join(root, folder), { recursive: true });
  });
}
