import * as z from 'zod/mini';
import { type Digest, isDigest } from './digest.js';
import { orAbsent } from './empty.js';
import { type Platform, platformSchema } from './platform.js';

/** What something is, how big and its digest: the only currency between folders (OCI image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the blob as it is stored, so compressed where it is. */
  readonly size: number;
  readonly urls?: readonly string[] | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly platform?: Platform | undefined;
  readonly artifactType?: string | undefined;
  /** Base64 of the content itself, for small blobs. */
  readonly data?: string | undefined;
}

export const digestSchema = z.custom<Digest>(value => typeof value === 'string' && isDigest(value), {
  error: 'not a digest',
});

export const descriptorSchema = z.looseObject({
  mediaType: z.string().check(z.minLength(1), z.maxLength(255)),
  digest: digestSchema,
  size: z.int().check(z.nonnegative()),
  urls: z.optional(z.array(z.string())),
  annotations: orAbsent(z.record(z.string(), z.string())),
  platform: z.optional(platformSchema),
  artifactType: z.optional(z.string()),
  data: z.optional(z.string()),
});

/** Same bytes under the same digest. */
export function sameContent(a: Descriptor, b: Descriptor): boolean {
  return a.digest === b.digest;
}
