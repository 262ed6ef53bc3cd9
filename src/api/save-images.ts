import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { copyImage } from '../content/copy.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isDigest } from '../oci/digest.js';
import { formatReference, parseReference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import { withEndpoint } from './registry-access.js';

export type ArchiveFormat = 'docker' | 'oci';

/** An image to put into an archive, under any number of whole names. */
export interface ArchivedImage {
  readonly descriptor: Descriptor;
  readonly names: readonly string[];
}

export interface SaveOptions extends CallOptions {
  /** @default 'docker' */
  readonly format?: ArchiveFormat | undefined;
}

/** Writes images of the store, by name or digest, into one archive that `docker load` or `podman load` takes. */
export async function saveImages(
  store: Store,
  names: readonly string[],
  target: string | Writable,
  options: SaveOptions = {},
): Promise<void> {
  const images: ArchivedImage[] = [];
  for (const name of names) {
    const full = isDigest(name) ? name : formatReference(parseReference(name));
    images.push({ descriptor: await store.resolve(full, options), names: isDigest(full) ? [] : [full] });
  }
  await writeArchive(store, images, options.format ?? 'docker', target, options);
}

/** Writes an archive to a file, which appears when it is whole, or to a stream, which stays open. */
export async function writeArchive(
  store: Store,
  images: readonly ArchivedImage[],
  format: ArchiveFormat,
  target: string | Writable,
  options: CallOptions = {},
): Promise<void> {
  if (typeof target === 'string') {
    await fillArchive(store, images, format, target, options);
    return;
  }
  // An archive says what it holds before it holds it: it is made whole first.
  const folder = await store.workFolder();
  try {
    const file = join(folder, 'archive.tar');
    await fillArchive(store, images, format, file, options);
    await pipeline(createReadStream(file), target, { signal: options.signal, end: false });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fillArchive(
  store: Store,
  images: readonly ArchivedImage[],
  format: ArchiveFormat,
  path: string,
  { signal }: CallOptions,
): Promise<void> {
  const transport = format === 'docker' ? 'docker-archive' : 'oci-archive';
  await withEndpoint({ transport, path }, { access: 'write', signal }, async archive => {
    for (const { descriptor, names } of images) {
      await copyImage(store, descriptor, archive, { signal });
      for (const name of names.length === 0 ? [''] : names) await archive.tag(descriptor, name, { signal });
    }
  });
}
