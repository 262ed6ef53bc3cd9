import { walk } from '../content/walk.js';
import { isLadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { ImageLayout } from './layout.js';

/** An entry of `index.json` with every blob that it needs, those that are missing too. */
export interface ImageBlobs {
  readonly name?: string | undefined;
  readonly descriptor: Descriptor;
  readonly blobs: ReadonlyMap<Digest, Descriptor>;
}

/** Every image that a layout lists. */
export async function imagesWithBlobs(layout: ImageLayout, options: CallOptions = {}): Promise<ImageBlobs[]> {
  const images: ImageBlobs[] = [];
  for (const { name, descriptor } of await layout.refs()) {
    options.signal?.throwIfAborted();
    const blobs = await neededBlobs(layout, descriptor, options);
    images.push({ ...(name === undefined ? {} : { name }), descriptor, blobs });
  }
  return images;
}

/** Of a part that cannot be read only its own. */
async function neededBlobs(
  layout: ImageLayout,
  root: Descriptor,
  options: CallOptions,
): Promise<Map<Digest, Descriptor>> {
  const blobs = new Map<Digest, Descriptor>();
  const pending = [root];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (blobs.has(next.digest)) continue;
    try {
      for await (const { descriptor, children } of walk(layout, next, options)) {
        blobs.set(descriptor.digest, descriptor);
        // One unreadable child must not hide its siblings, so each is walked on its own.
        pending.push(...children);
        break;
      }
    } catch (error) {
      if (options.signal?.aborted || !isLadingError(error) || error.code === 'IO') throw error;
      blobs.set(next.digest, next);
    }
  }
  return blobs;
}
