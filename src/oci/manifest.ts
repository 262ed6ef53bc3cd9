import * as z from 'zod/mini';
import { type Descriptor, descriptorSchema } from './descriptor.js';
import { orAbsent, orNone } from './empty.js';
import { encodeJson, parseDocument } from './json.js';
import { mediaTypes } from './media-types.js';

/** OCI image-spec, manifest.md; Docker's schema 2 has the same shape with other media types. */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  readonly config: Descriptor;
  /** Oldest first. */
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** OCI image-spec, image-index.md; Docker's manifest list has the same shape. */
export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The largest manifest or index that is read: what the distribution specification asks registries to accept. */
export const manifestSizeLimit = 4 * 1024 * 1024;

const annotations = orAbsent(z.record(z.string(), z.string()));

const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z._default(z.string(), mediaTypes.manifest),
  artifactType: z.optional(z.string()),
  config: descriptorSchema,
  layers: orNone(descriptorSchema),
  subject: z.optional(descriptorSchema),
  annotations,
});

const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z._default(z.string(), mediaTypes.index),
  artifactType: z.optional(z.string()),
  manifests: orNone(descriptorSchema),
  subject: z.optional(descriptorSchema),
  annotations,
});

/** @throws LadingError INVALID_DOCUMENT */
export function parseManifest(bytes: Uint8Array, digest?: string): ImageManifest {
  return parseDocument(bytes, manifestSchema, 'image manifest', digest);
}

/** @throws LadingError INVALID_DOCUMENT */
export function parseIndex(bytes: Uint8Array, digest?: string): ImageIndex {
  return parseDocument(bytes, indexSchema, 'image index', digest);
}

/** The bytes of a manifest or an index: indented by two, fields in the order of the specification. */
export function encodeManifest(value: ImageManifest | ImageIndex): Uint8Array {
  return new TextEncoder().encode(encodeJson(value, 2));
}
