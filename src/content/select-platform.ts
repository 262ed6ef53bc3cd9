import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { ImageIndex } from '../oci/manifest.js';
import { formatPlatformFull, type Platform, platformDistance } from '../oci/platform.js';

/**
 * The manifest of an index that serves a platform best: the exact one, else the nearest older variant. Of equals the
 * first wins, as the index's order says what its maker prefers. An index with a single manifest and no platforms is
 * taken at its word.
 * @throws LadingError PLATFORM_NOT_FOUND
 */
export function selectPlatform(index: Pick<ImageIndex, 'manifests'>, platform: Platform): Descriptor {
  const images = index.manifests.filter(manifest => !isAttestation(manifest));
  let best: { readonly descriptor: Descriptor; readonly distance: number } | undefined;
  for (const descriptor of images) {
    if (descriptor.platform === undefined) continue;
    const distance = platformDistance(platform, descriptor.platform);
    if (distance !== undefined && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) {
      best = { descriptor, distance };
    }
  }
  if (best !== undefined) return best.descriptor;
  if (images.length === 1 && images[0]!.platform === undefined) return images[0]!;
  const wanted = formatPlatformFull(platform);
  const available = [...new Set(images.flatMap(image => (image.platform ? [formatPlatformFull(image.platform)] : [])))];
  throw new LadingError('PLATFORM_NOT_FOUND', `the image is not there for ${wanted}`, {
    details: { wanted, available },
    hint:
      available.length > 0
        ? `It is there for ${available.slice(0, 20).join(', ')}: choose one of them with --platform.`
        : 'It names no platform at all: give the digest of one of its manifests.',
  });
}

/** Build records that BuildKit lists among the manifests of an index; they are no images. */
export function isAttestation(descriptor: Descriptor): boolean {
  const { platform, annotations } = descriptor;
  if (platform?.os === 'unknown' && platform.architecture === 'unknown') return true;
  return annotations !== undefined && Object.hasOwn(annotations, 'vnd.docker.reference.type');
}
