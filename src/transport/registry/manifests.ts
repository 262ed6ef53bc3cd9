import { LadingError } from '../../errors/errors.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { type Digest, digestAlgorithm, isDigest } from '../../oci/digest.js';
import { manifestSizeLimit } from '../../oci/manifest.js';
import { isIndexType, isManifestType, mediaTypes } from '../../oci/media-types.js';
import { readCapped } from '../../stream/read-capped.js';
import { Digester, digestMismatch } from '../../stream/verified.js';
import type { HttpResponse } from '../http/http.js';
import { protocolError } from './failure.js';

/** What we understand, best first. */
export const manifestAccept = [
  mediaTypes.index,
  mediaTypes.manifest,
  mediaTypes.dockerIndex,
  mediaTypes.dockerManifest,
].join(', ');

/** Whether the registry keeps this among its manifests rather than its blobs. */
export function isManifestKind(mediaType: string): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}

/**
 * The descriptor of a manifest from the headers of an answer alone, when they say enough.
 * @throws LadingError UNSUPPORTED for manifests of a former age, DIGEST_MISMATCH when the answer is about another one
 */
export function descriptorFromHeaders(response: HttpResponse, name: string): Descriptor | undefined {
  const mediaType = contentType(response);
  refuseFormerAge(mediaType, response);
  const digest = statedDigest(response, name);
  const size = Number(response.header('content-length') ?? Number.NaN);
  if (digest === undefined || !isManifestKind(mediaType) || !Number.isSafeInteger(size) || size <= 0) return undefined;
  if (size > manifestSizeLimit) {
    throw new LadingError('SIZE_EXCEEDED', `the manifest ${digest} is larger than ${manifestSizeLimit} bytes`, {
      details: { what: 'manifest', limit: manifestSizeLimit },
    });
  }
  return { mediaType, digest, size };
}

/** A manifest with its descriptor, computed from the bytes and compared with what the answer says of them. */
export async function readManifest(
  response: HttpResponse,
  name: string,
): Promise<{ readonly descriptor: Descriptor; readonly bytes: Buffer }> {
  let bytes: Buffer;
  try {
    bytes = await readCapped(response.body, manifestSizeLimit, 'manifest');
  } finally {
    response.body.destroy();
  }
  const stated = contentType(response);
  refuseFormerAge(stated, response);
  const expected = statedDigest(response, name);
  const digester = new Digester(expected === undefined ? 'sha256' : digestAlgorithm(expected));
  digester.update(bytes);
  const digest = digester.digest();
  if (expected !== undefined && expected !== digest) throw digestMismatch(expected, digest);
  const mediaType = isManifestKind(stated) ? stated : mediaTypeOf(bytes, response);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

/** The digest that was asked for, else the one that the answer claims. */
function statedDigest(response: HttpResponse, name: string): Digest | undefined {
  const header = response.header('docker-content-digest');
  const claimed = header !== undefined && isDigest(header) ? header : undefined;
  if (!isDigest(name)) return claimed;
  // A registry may name the same bytes by another algorithm than ours.
  if (claimed !== undefined && claimed !== name && digestAlgorithm(claimed) === digestAlgorithm(name)) {
    throw digestMismatch(name, claimed);
  }
  return name;
}

function contentType(response: HttpResponse): string {
  return (response.header('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
}

/** Registries that do not keep the type send a general one; then the document itself says what it is. */
function mediaTypeOf(bytes: Buffer, response: HttpResponse): string {
  let document: Record<string, unknown>;
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw protocolError(response.url, 'sends a manifest that is not JSON');
  }
  const own = document?.['mediaType'];
  if (typeof own === 'string' && isManifestKind(own)) return own;
  if (document?.['schemaVersion'] === 1) throw formerAge(response);
  if (own === undefined && Array.isArray(document?.['manifests'])) return mediaTypes.index;
  if (own === undefined && typeof document?.['config'] === 'object') return mediaTypes.manifest;
  throw protocolError(response.url, 'sends something that is not an image manifest');
}

function refuseFormerAge(mediaType: string, response: HttpResponse): void {
  if (/^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/.test(mediaType)) {
    response.discard();
    throw formerAge(response);
  }
}

function formerAge(response: HttpResponse): LadingError<'UNSUPPORTED'> {
  return new LadingError('UNSUPPORTED', `${response.url.host} has this image as Docker schema 1 only`, {
    details: { feature: 'Docker image manifest schema 1' },
    hint: 'Pull and push the image once with a tool that still converts it, such as skopeo copy --format v2s2.',
  });
}
