import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { ImageBlobs } from './image-blobs.js';
import { mayBeMissing, plainDescriptor } from './layout-entry.js';

export interface ImageUsage {
  readonly name?: string | undefined;
  readonly descriptor: Descriptor;
  /** Bytes of what is here of it. */
  readonly sizeBytes: number;
  /** Of `sizeBytes`, what other images need as well. */
  readonly sharedBytes: number;
  /** Whether all that it needs is here. */
  readonly complete: boolean;
}

/** `sizeOf` gives bytes of blobs, and nothing for those that are missing. */
export function measureImages(
  images: readonly ImageBlobs[],
  sizeOf: (digest: Digest) => number | undefined,
): ImageUsage[] {
  const owners = new Map<Digest, Set<Digest>>();
  for (const { descriptor, blobs } of images) {
    for (const blob of blobs.keys()) owners.set(blob, (owners.get(blob) ?? new Set()).add(descriptor.digest));
  }
  return images.map(({ name, descriptor, blobs }) => {
    let sizeBytes = 0;
    let sharedBytes = 0;
    let complete = true;
    for (const [digest, blob] of blobs) {
      const bytes = sizeOf(digest);
      complete &&= bytes !== undefined || mayBeMissing(blob);
      sizeBytes += bytes ?? 0;
      if (owners.get(digest)!.size > 1) sharedBytes += bytes ?? 0;
    }
    const usage = { descriptor: plainDescriptor(descriptor), sizeBytes, sharedBytes, complete };
    return name === undefined ? usage : { name, ...usage };
  });
}
