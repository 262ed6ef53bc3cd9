import { rm, stat } from 'node:fs/promises';
import { isLadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { abandon } from '../stream/abandon.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import { isRereadable } from '../stream/rereadable.js';
import type { BlobDirectory, PutOptions } from './blob-directory.js';
import { ifExists } from './io-error.js';
import type { Transfers } from './transfers.js';

/** What is smaller is sooner fetched twice than noted once. */
const notedSize = 64 * 1024;

/**
 * Takes a blob in. Large content that can be read again arrives through a file of its own: whoever comes for the same blob
 * meanwhile waits and then finds it, and after a failure the next one goes on behind what has arrived. `keep` is called for
 * each attempt, and may watch the bytes.
 */
export async function receiveBlob(
  blobs: BlobDirectory,
  transfers: Transfers,
  descriptor: Descriptor,
  content: Bytes,
  keep: (put: (options: PutOptions) => Promise<void>) => Promise<void>,
  options: CallOptions,
): Promise<void> {
  if (await blobs.has(descriptor)) return abandon(content);
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
}

function isMismatch(error: unknown): boolean {
  return isLadingError(error, 'DIGEST_MISMATCH') || isLadingError(error, 'SIZE_MISMATCH');
}
