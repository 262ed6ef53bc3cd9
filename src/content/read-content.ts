import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type ImageIndex, type ImageManifest, manifestSizeLimit, parseIndex, parseManifest } from '../oci/manifest.js';
import type { CallOptions } from '../stream/bytes.js';
import { readCapped } from '../stream/read-capped.js';
import type { ContentSource } from './content.js';

/** A document as it stands and as it reads: what is copied or signed is `bytes`, never the parsed value encoded again. */
export interface ReadDocument<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

/**
 * All bytes of a small blob.
 * @throws LadingError SIZE_EXCEEDED before anything is read when the descriptor admits to more than `limit`
 */
export async function readContent(
  source: Pick<ContentSource, 'open'>,
  descriptor: Descriptor,
  limit: number,
  what: string,
  options: CallOptions = {},
): Promise<Buffer> {
  if (descriptor.size > limit) {
    throw new LadingError('SIZE_EXCEEDED', `${what} is larger than ${limit} bytes`, { details: { what, limit } });
  }
  const content = await source.open(descriptor, options);
  try {
    return await readCapped(content, limit, what);
  } finally {
    content.destroy();
  }
}

/** @throws LadingError INVALID_DOCUMENT when it is no manifest, or says that it is something else than its descriptor does */
export async function readManifest(
  source: Pick<ContentSource, 'open'>,
  descriptor: Descriptor,
  options?: CallOptions,
): Promise<ReadDocument<ImageManifest>> {
  const bytes = await readContent(source, descriptor, manifestSizeLimit, 'an image manifest', options);
  const value = parseManifest(bytes, descriptor.digest);
  refuseAmbiguity(bytes, descriptor, 'image manifest', ['manifests', 'fsLayers']);
  return { bytes, value: { ...value, mediaType: descriptor.mediaType } };
}

/** @throws LadingError INVALID_DOCUMENT when it is no index, or says that it is something else than its descriptor does */
export async function readIndex(
  source: Pick<ContentSource, 'open'>,
  descriptor: Descriptor,
  options?: CallOptions,
): Promise<ReadDocument<ImageIndex>> {
  const bytes = await readContent(source, descriptor, manifestSizeLimit, 'an image index', options);
  const value = parseIndex(bytes, descriptor.digest);
  refuseAmbiguity(bytes, descriptor, 'image index', ['config', 'layers', 'fsLayers']);
  return { bytes, value: { ...value, mediaType: descriptor.mediaType } };
}

/**
 * One digest must not mean two images: a document that reads as a manifest to one client and as an index to the next
 * would get past whoever checked the other reading.
 */
function refuseAmbiguity(
  bytes: Uint8Array,
  descriptor: Descriptor,
  what: string,
  foreignKeys: readonly string[],
): void {
  const document = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
  const foreign = foreignKeys.find(key => Object.hasOwn(document, key));
  const own = document['mediaType'];
  let problem: string | undefined;
  if (foreign !== undefined) problem = `it also has ${JSON.stringify(foreign)}, so it can be read as something else`;
  else if (own !== undefined && own !== descriptor.mediaType) {
    problem = `its mediaType is ${JSON.stringify(own)}, its descriptor says ${descriptor.mediaType}`;
  }
  if (problem === undefined) return;
  throw new LadingError('INVALID_DOCUMENT', `not a valid ${what} (${descriptor.digest}): ${problem}`, {
    details: { what, digest: descriptor.digest, problem },
  });
}
