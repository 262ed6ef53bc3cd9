import type { Descriptor } from '../oci/descriptor.js';
import { isLayerType } from '../oci/media-types.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import type { PutOptions } from './blob-directory.js';
import { receiveBlob } from './receive-blob.js';
import type { StoreParts } from './store-parts.js';
import type { Transfers } from './transfers.js';

/**
 * Takes a blob into the store. A layer is indexed in the pass that verifies it; a blob that only calls itself a layer is
 * stored all the same.
 */
export async function takeBlobIn(
  { layout: { blobs }, layers }: StoreParts,
  transfers: Transfers,
  descriptor: Descriptor,
  content: Bytes,
  options: CallOptions,
): Promise<void> {
  const keep = (put: (options: PutOptions) => Promise<void>): Promise<void> =>
    isLayerType(descriptor.mediaType) ? indexing(put) : put(options);
  await receiveBlob(blobs, transfers, descriptor, content, keep, options);

  async function indexing(put: (options: PutOptions) => Promise<void>): Promise<void> {
    const { LayerTap } = await import('./layer-tap.js');
    const tap = new LayerTap();
    try {
      await put({ ...options, observe: chunk => tap.write(chunk) });
    } catch (error) {
      await tap.abort();
      throw error;
    }
    const { index } = await tap.end();
    if (index !== undefined) await layers.save(descriptor.digest, index);
  }
}
