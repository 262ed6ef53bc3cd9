import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type CopyEvent, copyImage } from '../content/copy.js';
import { ioError } from '../errors/io-error.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import { openImageArchive } from '../transport/archive/open-archive.js';

export interface LoadOptions extends CallOptions {
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

export interface LoadedImage {
  /** Absent when the archive gives the image no name. */
  readonly name?: string | undefined;
  readonly descriptor: Descriptor;
}

/** Copies every image of an archive (of `docker save`, `podman save`, or an image layout in a tar) into the store. */
export async function loadImages(
  store: Store,
  source: string | Readable,
  options: LoadOptions = {},
): Promise<LoadedImage[]> {
  const { signal, onEvent } = options;
  const folder = await store.workFolder();
  try {
    const path = typeof source === 'string' ? source : await received(source, join(folder, 'archive.tar'), signal);
    const title = typeof source === 'string' ? source : 'the input';
    const archive = await openImageArchive(path, { tmpDir: folder, title, signal });
    try {
      const loaded: LoadedImage[] = [];
      for (const { name, descriptor } of await archive.images({ signal })) {
        const copied = await copyImage(archive, descriptor, store, { name, signal, onEvent });
        if (name === undefined) await store.keep(copied, { signal });
        loaded.push({ name, descriptor: copied });
      }
      return loaded;
    } finally {
      await archive.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function received(source: Readable, path: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    await pipeline(source, createWriteStream(path, { mode: 0o600 }), { signal });
    return path;
  } catch (error) {
    throw ioError(error, path);
  }
}
