import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.js';
import type { Bytes } from './bytes.js';

/** Counts and hashes what goes by. */
export class Digester {
  readonly #hash: Hash;
  readonly #algorithm: 'sha256' | 'sha512';
  #size: number;

  constructor(algorithm: 'sha256' | 'sha512' = 'sha256', state?: { readonly hash: Hash; readonly size: number }) {
    this.#algorithm = algorithm;
    this.#hash = state?.hash ?? createHash(algorithm);
    this.#size = state?.size ?? 0;
  }

  /** Another one that goes on from here. */
  copy(): Digester {
    return new Digester(this.#algorithm, { hash: this.#hash.copy(), size: this.#size });
  }

  get size(): number {
    return this.#size;
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  /** Ends the hashing: call it once. */
  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.digest('hex')}` as Digest;
  }
}

/**
 * Passes bytes through and fails instead of ending when they are not the descriptor's: with `SIZE_MISMATCH` as soon as
 * there are too many or when there are too few, with `DIGEST_MISMATCH` at the end.
 */
export async function* verified(
  content: Bytes,
  expected: Pick<Descriptor, 'digest' | 'size'>,
): AsyncGenerator<Uint8Array> {
  const { digest, size } = expected;
  const digester = new Digester(digestAlgorithm(digest));
  for await (const chunk of content) {
    digester.update(chunk);
    if (digester.size > size) throw sizeMismatch(expected, digester.size);
    yield chunk;
  }
  checkDigest(digester, expected);
}

/** The same as a stream. */
export function verifiedStream(content: Bytes, expected: Pick<Descriptor, 'digest' | 'size'>): Readable {
  return Readable.from(verified(content, expected), { objectMode: false });
}

/** Ends the hashing. @throws LadingError SIZE_MISMATCH, DIGEST_MISMATCH */
export function checkDigest(digester: Digester, expected: Pick<Descriptor, 'digest' | 'size'>): void {
  if (digester.size !== expected.size) throw sizeMismatch(expected, digester.size);
  const actual = digester.digest();
  if (actual !== expected.digest) throw digestMismatch(expected.digest, actual);
}

export function digestMismatch(expected: Digest, actual: Digest): LadingError<'DIGEST_MISMATCH'> {
  return new LadingError(
    'DIGEST_MISMATCH',
    `content does not match its digest: expected ${expected}, received ${actual}`,
    {
      details: { expected, actual },
      hint: 'The content is damaged or its source is lying; nothing of it was kept.',
    },
  );
}

export function sizeMismatch(
  expected: Pick<Descriptor, 'digest' | 'size'>,
  actual: number,
): LadingError<'SIZE_MISMATCH'> {
  const more = actual > expected.size ? 'at least ' : '';
  return new LadingError(
    'SIZE_MISMATCH',
    `${expected.digest} should have ${expected.size} bytes, received ${more}${actual}`,
    {
      details: { digest: expected.digest, expected: expected.size, actual },
      hint: 'The content is cut short or damaged; nothing of it was kept.',
    },
  );
}

/** The first twelve digits, as people abbreviate digests. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, 12);
}
