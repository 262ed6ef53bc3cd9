/**
 * Statements about images, and the manifests that hold them in an index beside the images that they speak of (the
 * storage format of BuildKit: docs/attestations/attestation-storage.md there).
 */
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, digestOf } from '../oci/digest.js';
import { encodeJson } from '../oci/json.js';
import { encodeManifest, type ImageManifest } from '../oci/manifest.js';
import { mediaTypes } from '../oci/media-types.js';
import type { EncodedDocument } from './mutate.js';

/** An in-toto statement (v1): somebody says `predicate` of `subject`. */
export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly predicateType: string;
  readonly subject: ReadonlyArray<{ readonly name: string; readonly digest: Readonly<Record<string, string>> }>;
  readonly predicate: object;
}

/** What a statement says, without of what. */
export interface Claim {
  readonly predicateType: string;
  readonly predicate: object;
}

/** `claim` about things that have a name and a digest. */
export function statementOf(
  claim: Claim,
  subjects: ReadonlyArray<{ readonly name: string; readonly digest: Digest }>,
): Statement {
  const subject = subjects.map(({ name, digest }) => ({ name, digest: digestSet(digest) }));
  return {
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: claim.predicateType,
    subject,
    predicate: claim.predicate,
  };
}

/** A digest as in-toto and SLSA write it: `{ sha256: hex }`. */
export function digestSet(digest: `${string}:${string}`): Readonly<Record<string, string>> {
  const colon = digest.indexOf(':');
  return { [digest.slice(0, colon)]: digest.slice(colon + 1) };
}

export interface AttestationManifest {
  /** For the index: with the platform that no machine is, and annotations that say what it speaks of. */
  readonly descriptor: Descriptor;
  readonly manifest: EncodedDocument;
  /** What the manifest needs besides: its config, then the statements. */
  readonly blobs: readonly EncodedDocument[];
}

/**
 * The manifest that holds statements about the image behind `subject`: an artifact with a subject, which registries list
 * as a referrer; or, without `artifact`, dressed as an image, for those that know images only.
 */
export function attestationManifest(
  subject: Descriptor,
  statements: readonly Statement[],
  { artifact }: { readonly artifact: boolean },
): AttestationManifest {
  const layers = statements.map(statement => {
    const document = encoded(mediaTypes.inToto, encodeJson(statement));
    const annotations = { 'in-toto.io/predicate-type': statement.predicateType };
    return { ...document, descriptor: { ...document.descriptor, annotations } };
  });
  const config = artifact ? emptyConfig() : imageConfig(layers.map(layer => layer.descriptor.digest));
  const { mediaType, digest, size } = subject;
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    ...(artifact ? { artifactType: mediaTypes.attestation } : {}),
    config: config.descriptor,
    layers: layers.map(layer => layer.descriptor),
    ...(artifact ? { subject: { mediaType, digest, size } } : {}),
  };
  const bytes = encodeManifest(manifest);
  const plain = { mediaType: mediaTypes.manifest, digest: digestOf(bytes), size: bytes.length };
  const annotations = {
    'vnd.docker.reference.digest': digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  return {
    descriptor: { ...plain, annotations, platform: { architecture: 'unknown', os: 'unknown' } },
    manifest: { descriptor: plain, bytes },
    blobs: [config, ...layers],
  };
}

/** The empty object (OCI image-spec, manifest.md, "Guidance for an empty descriptor"). */
function emptyConfig(): EncodedDocument {
  const { descriptor, bytes } = encoded(mediaTypes.empty, '{}');
  return { descriptor: { ...descriptor, data: Buffer.from(bytes).toString('base64') }, bytes };
}

function imageConfig(diffIds: readonly Digest[]): EncodedDocument {
  const config = {
    architecture: 'unknown',
    os: 'unknown',
    config: {},
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  return encoded(mediaTypes.config, encodeJson(config));
}

function encoded(mediaType: string, text: string): EncodedDocument {
  const bytes = new TextEncoder().encode(text);
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}
