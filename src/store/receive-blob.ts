import { rm, stat } from 'node:fs/promises';
import { isLadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isLayerType } from '../oci/media-types.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import { isRereadable } from '../stream/rereadable.js';
import type { PutOptions } from './blob-directory.js';
import { ifExists } from './io-error.js';
import { LayerTap } from './layer-tap.js';
import { abandon } from './layout.js';
import type { StoreParts } from './store-parts.js';
import type { Transfers } from './transfers.js';

/** What is smaller is sooner fetched twice than noted once. */
const notedSize = 64 * 1024;

/**
 * Takes a blob in. Large content that can be read again arrives through a file in `transfers/`: whoever comes for the same blob
 * meanwhile waits and then finds it, and after a failure the next one goes on behind what has arrived.
 */
export async function receiveBlob(
  { layout: { blobs }, layers }: StoreParts,
  transfers: Transfers,
  descriptor: Descriptor,
  content: Bytes,
  options: CallOptions,
): Promise<void> {
  if (await blobs.has(descriptor)) return abandon(content);
  const keep = (put: (options: PutOptions) => Promise<void>): Promise<void> =>
    isLayerType(descriptor.mediaType) ? indexing(descriptor, put) : put(options);
  if (!isRereadable(content) || descriptor.size < notedSize) return keep(put => blobs.put(descriptor, content, put));
  await transfers.holdBlob(
    descriptor.digest,
    async partial => {
      if (await blobs.has(descriptor)) return rm(partial, { force: true });
      const begun = await ifExists(partial, () => stat(partial));
      const arrive = (): Promise<void> => keep(put => blobs.putThrough(partial, descriptor, content, put));
      await arrive().catch(error => {
        // Then it was perhaps what an earlier process left that was wrong, after a power cut for one.
        if (begun === undefined || begun.size === 0 || !isMismatch(error)) throw error;
        return arrive();
      });
    },
    options,
  );

  /** A layer is indexed in the pass that verifies it; a blob that only calls itself a layer is stored all the same. */
  async function indexing({ digest }: Descriptor, put: (options: PutOptions) => Promise<void>): Promise<void> {
    const tap = new LayerTap();
    try {
      await put({ ...options, observe: chunk => tap.write(chunk) });
    } catch (error) {
      await tap.abort();
      throw error;
    }
    const { index } = await tap.end();
    if (index !== undefined) await layers.save(digest, index);
  }
}

function isMismatch(error: unknown): boolean {
  return isLadingError(error, 'DIGEST_MISMATCH') || isLadingError(error, 'SIZE_MISMATCH');
}
