import { isLadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { ImageIndex, ImageManifest } from '../oci/manifest.js';
import { isIndexType, isManifestType } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import type { ContentSource } from './content.js';
import { readIndex, readManifest } from './read-content.js';

export interface ReferrersOptions extends CallOptions {
  /** Only artifacts of this type. */
  readonly artifactType?: string | undefined;
}

/**
 * An extra ability of a source: find what speaks of a manifest, such as signatures, lists of parts and statements
 * (OCI image-spec, manifest.md, `subject`; distribution-spec, "Listing Referrers").
 */
export interface ReferrerSource {
  /** Descriptors as the specification wants them: with the type of the artifact and the annotations of its manifest. */
  referrers(subject: Digest, options?: ReferrersOptions): AsyncIterable<Descriptor>;
}

export function isReferrerSource(place: object): place is ReferrerSource {
  return 'referrers' in place && typeof place.referrers === 'function';
}

/** Those of the documents that speak of `subject`; what cannot be read does not. */
export async function* referrersAmong(
  source: Pick<ContentSource, 'open'>,
  documents: Iterable<Descriptor>,
  subject: Digest,
  options: ReferrersOptions = {},
): AsyncGenerator<Descriptor> {
  const seen = new Set<Digest>();
  for (const descriptor of documents) {
    if (seen.has(descriptor.digest)) continue;
    seen.add(descriptor.digest);
    const value = await documentOf(source, descriptor, options);
    if (value?.subject?.digest !== subject) continue;
    const found = referrerOf(descriptor, value);
    if (options.artifactType === undefined || found.artifactType === options.artifactType) yield found;
  }
}

/** How a document stands in a list of referrers (image-spec, image-index.md, "artifactType"). */
export function referrerOf(descriptor: Descriptor, document: ImageManifest | ImageIndex): Descriptor {
  const { mediaType, digest, size } = descriptor;
  const type = document.artifactType ?? ('config' in document ? document.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size,
    ...(type === undefined ? {} : { artifactType: type }),
    ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
  };
}

async function documentOf(
  source: Pick<ContentSource, 'open'>,
  descriptor: Descriptor,
  options: CallOptions,
): Promise<ImageManifest | ImageIndex | undefined> {
  try {
    if (isIndexType(descriptor.mediaType)) return (await readIndex(source, descriptor, options)).value;
    if (isManifestType(descriptor.mediaType)) return (await readManifest(source, descriptor, options)).value;
    return undefined;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (isLadingError(error) && error.code !== 'IO') return undefined;
    throw error;
  }
}
