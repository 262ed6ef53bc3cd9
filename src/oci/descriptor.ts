import * as z from 'zod';
import { type Digest, isDigest } from './digest.js';
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

export const digestSchema = z.string().refine(isDigest, { error: 'not a digest' });

export const descriptorSchema = z.looseObject({
  mediaType: z.string().min(1).max(255),
  digest: digestSchema,
  size: z.number().int().nonnegative(),
  urls: z.array(z.string()).optional(),
  annotations: z
    .record(z.string(), z.string())
    .nullish()
    .transform(value => value ?? undefined),
  platform: platformSchema.optional(),
  artifactType: z.string().optional(),
  data: z.string().optional(),
});

/** Same bytes under the same digest. */
export function sameContent(a: Descriptor, b: Descriptor): boolean {
  return a.digest === b.digest;
}
