import type { ContentSource, ContentTarget } from '../content/content.js';
import { type CopyOptions, copyImage } from '../content/copy.js';
import { isReferrerSource, type ReferrerSource } from '../content/referrers.js';
import { childrenOf, graphTooLarge, maxContentDepth, maxContentNodes } from '../content/walk.js';
import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isIndexType, isManifestType } from '../oci/media-types.js';

/**
 * Copies what speaks of an image, of the manifests of its index, and of these in turn; the image itself is there already.
 * Each is listed in the target under its digest.
 * @returns what was copied, in order
 * @throws LadingError UNSUPPORTED when the source cannot tell
 */
export async function copyReferrers(
  source: ContentSource,
  root: Descriptor,
  target: ContentTarget,
  options: Pick<CopyOptions, 'signal' | 'onEvent' | 'concurrency' | 'dryRun' | 'foreignLayers'>,
): Promise<Descriptor[]> {
  const { signal } = options;
  const asked = referrerSource(source);
  const seen = new Set<string>([root.digest]);
  const copied: Descriptor[] = [];
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (depth > maxContentDepth || seen.size > maxContentNodes) throw graphTooLarge(root);
    for await (const referrer of asked.referrers(descriptor.digest, { signal })) {
      if (seen.has(referrer.digest)) continue;
      seen.add(referrer.digest);
      await copyImage(source, referrer, target, { ...options, name: referrer.digest });
      copied.push(referrer);
      await visit(referrer, depth + 1);
    }
    if (!isIndexType(descriptor.mediaType)) return;
    for (const child of await childrenOf(source, descriptor, { signal })) {
      if (seen.has(child.digest) || !(isIndexType(child.mediaType) || isManifestType(child.mediaType))) continue;
      seen.add(child.digest);
      // A copy of some platforms has the others' manifests nowhere.
      if (options.dryRun || (await target.has(child, { signal }))) await visit(child, depth + 1);
    }
  };
  await visit(root, 0);
  return copied;
}

/** @throws LadingError UNSUPPORTED */
export function referrerSource<T extends object>(place: T): T & ReferrerSource {
  if (isReferrerSource(place)) return place;
  throw new LadingError('UNSUPPORTED', 'archives do not tell what speaks of an image', {
    details: { feature: 'referrers of an archive' },
    hint: 'Use a registry, an image layout in a folder, or the store.',
  });
}
