import type { Readable } from 'node:stream';
import type { BlobFinder } from '../content/content.js';
import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isDigest } from '../oci/digest.js';
import { manifestSizeLimit } from '../oci/manifest.js';
import { parseReference } from '../oci/reference.js';
import { readCapped } from '../stream/read-capped.js';
import { parseLocation } from '../transport/location.js';
import { openRegistryLocation } from '../transport/open.js';
import { type CopyBetweenOptions, withPlace } from './copy-between.js';
import type { TransferOptions } from './registry-access.js';
import { resolveIn } from './resolve-in.js';

export interface ResolveOptions extends CopyBetweenOptions {
  /** Of an image of several platforms this one's manifest is meant, not the index. */
  readonly platform?: string | undefined;
}

/** What a name leads to, at any place: media type, digest and size. */
export async function resolveImage(image: string, options: ResolveOptions): Promise<Descriptor> {
  return await withPlace(image, 'read', options, place => resolveIn(place, options));
}

export interface RawManifest {
  readonly descriptor: Descriptor;
  /** Exactly as it is stored: its digest is that of these bytes. */
  readonly bytes: Uint8Array;
}

/** The manifest or index behind a name. */
export async function readRawManifest(image: string, options: ResolveOptions): Promise<RawManifest> {
  const { signal } = options;
  return await withPlace(image, 'read', options, async place => {
    const descriptor = await resolveIn(place, { ...options, toOpen: true });
    const content = await place.open(descriptor, { signal });
    try {
      return { descriptor, bytes: await readCapped(content, manifestSizeLimit, 'manifest') };
    } finally {
      content.destroy();
    }
  });
}

/**
 * Streams a blob (`NAME@DIGEST`) to whoever wants it; its bytes are verified on the way, so the end of the stream is the
 * word that they are right.
 * @throws LadingError USAGE without a digest; BLOB_NOT_FOUND, DIGEST_MISMATCH
 */
export async function readBlob(
  blob: string,
  options: CopyBetweenOptions,
  use: (content: Readable) => Promise<void>,
): Promise<void> {
  const { signal } = options;
  await withPlace(blob, 'read', options, async place => {
    const digest = place.name.slice(place.name.lastIndexOf('@') + 1);
    if (!isDigest(digest)) {
      throw new LadingError('USAGE', `${blob.slice(0, 300)} does not say which blob`, {
        details: {},
        hint: 'Give NAME@sha256:…; the manifest lists the digests (lading manifest NAME).',
      });
    }
    if (!isBlobFinder(place)) {
      throw new LadingError('UNSUPPORTED', 'blobs of archives have no address of their own', {
        details: { feature: 'blobs of an archive' },
        hint: 'Copy the image to a folder first: lading copy SOURCE oci:FOLDER.',
      });
    }
    const content = await place.open(await place.findBlob(digest, { signal }), { signal });
    try {
      await use(content);
    } finally {
      content.destroy();
    }
  });
}

export interface DeleteOptions extends TransferOptions {
  /** The digest is that of a blob, not of a manifest. */
  readonly blob?: boolean | undefined;
}

/**
 * Deletes in a registry: with a tag the tag alone, with a digest the manifest and all its tags, or a blob.
 * @throws LadingError REFERENCE_NOT_FOUND, UNSUPPORTED when the registry does not delete
 */
export async function deleteFromRegistry(name: string, options: DeleteOptions): Promise<void> {
  const location = parseLocation(name);
  if (location.transport !== 'registry') {
    throw new LadingError('USAGE', `${name.slice(0, 300)} is not in a registry`, {
      details: {},
      hint: 'Names of the store are taken away with lading rmi.',
    });
  }
  const { signal } = options;
  const { digest, tag } = location.reference;
  if (digest === undefined && !isExplicitTag(name, tag)) {
    throw new LadingError('USAGE', `${name.slice(0, 300)} does not say what to delete`, {
      details: {},
      hint: 'Give NAME:TAG or NAME@DIGEST; nothing is taken for granted here.',
    });
  }
  if (options.blob && digest === undefined) {
    throw new LadingError('USAGE', 'a blob is named by its digest', { details: {}, hint: 'Give NAME@DIGEST.' });
  }
  const endpoint = await openRegistryLocation(location, { ...options, access: 'write' });
  try {
    if (options.blob) await endpoint.deleteBlob(digest!, { signal });
    else await endpoint.delete(digest ?? tag!, { signal });
  } finally {
    await endpoint.close();
  }
}

function isExplicitTag(name: string, tag: string | undefined): boolean {
  return tag !== undefined && name.endsWith(`:${tag}`) && parseReference(name.replace(/^docker:\/\//, '')).tag === tag;
}

function isBlobFinder(place: object): place is BlobFinder {
  return 'findBlob' in place && typeof place.findBlob === 'function';
}
