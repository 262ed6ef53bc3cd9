import { isAttestation } from '../content/select-platform.js';
import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { ImageIndex } from '../oci/manifest.js';
import { mediaTypes } from '../oci/media-types.js';
import { formatPlatformFull } from '../oci/platform.js';
import { type EncodedDocument, imageIndex } from './mutate.js';

/** One of the images of an index to be, with the statements about it. */
export interface IndexPart {
  readonly image: Descriptor;
  readonly statements: readonly Descriptor[];
}

/**
 * The manifests of an index as parts: each image with what is said of it.
 * A statement about an image that is not there belongs to none, and is left out.
 */
export function partsOf({ manifests }: Pick<ImageIndex, 'manifests'>): IndexPart[] {
  const statements = manifests.filter(isAttestation);
  const about = ({ annotations }: Descriptor): string | undefined => annotations?.['vnd.docker.reference.digest'];
  return manifests
    .filter(manifest => !isAttestation(manifest))
    .map(image => ({ image, statements: statements.filter(statement => about(statement) === image.digest) }));
}

/**
 * An index over parts: first the images, in the order given, then what is said of them. It is a Docker manifest list when
 * all images are Docker's and there is nothing that such a list cannot hold.
 * @throws LadingError USAGE when two images are for the same platform
 */
export function indexOf(
  parts: readonly IndexPart[],
  annotations?: Readonly<Record<string, string>> | undefined,
): EncodedDocument {
  const byDigest = new Map(parts.map(part => [part.image.digest, part]));
  const images = [...byDigest.values()].map(({ image }) => image);
  const platforms = new Map<string, Descriptor>();
  for (const image of images) {
    if (image.platform === undefined) continue;
    const platform = formatPlatformFull(image.platform);
    const other = platforms.get(platform);
    if (other !== undefined) throw twice(platform, other, image);
    platforms.set(platform, image);
  }
  const statements = [...byDigest.values()].flatMap(part => part.statements);
  const plain = annotations === undefined || Object.keys(annotations).length === 0;
  const docker =
    images.length > 0 &&
    plain &&
    statements.length === 0 &&
    images.every(({ mediaType }) => mediaType === mediaTypes.dockerManifest);
  return imageIndex([...images, ...statements], {
    style: docker ? 'docker' : 'oci',
    ...(plain ? {} : { annotations }),
  });
}

function twice(platform: string, one: Descriptor, other: Descriptor): LadingError<'USAGE'> {
  return new LadingError('USAGE', `${one.digest} and ${other.digest} are both for ${platform}`, {
    details: {},
    hint: 'An index has one image for each platform: leave one of them out.',
  });
}
