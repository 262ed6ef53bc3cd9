import { createHash } from 'node:crypto';
import { LadingError } from '../errors/errors.js';

declare const digestBrand: unique symbol;

/** `algorithm:hex`, checked (OCI image-spec, descriptor.md, "Digests"). Made by {@link parseDigest} or by hashing. */
export type Digest = `${'sha256' | 'sha512'}:${string}` & { readonly [digestBrand]: true };

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** @throws LadingError INVALID_VALUE */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new LadingError('INVALID_VALUE', `not a digest: ${JSON.stringify(text.slice(0, 200))}`, {
    details: { what: 'digest', value: text.slice(0, 200) },
    hint: 'A digest is sha256: and 64 lower-case hexadecimal digits, or sha512: and 128.',
  });
}

/** SHA-256 of bytes held in memory. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

export function digestAlgorithm(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hexadecimal part. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
