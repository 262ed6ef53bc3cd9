import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.js';
import type { Bytes } from './bytes.js';
import { isSelfChecking, markSelfChecking } from './self-checking.js';

/** Counts and hashes what goes by. */
export class Digester {
  readonly #hash: Hash;
  readonly #algorithm: 'sha256' | 'sha512';
  #size = 0;

  constructor(algorithm: 'sha256' | 'sha512' = 'sha256') {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
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
 * there are too many or when there are too few, with `DIGEST_MISMATCH` at the end. Content that checks itself is only
 * counted: somebody may have read a part of it already.
 */
export function verified(content: Bytes, expected: Pick<Descriptor, 'digest' | 'size'>): AsyncGenerator<Uint8Array> {
  return markSelfChecking(check(content, expected), expected.digest);
}

/** The same as a stream. */
export function verifiedStream(content: Bytes, expected: Pick<Descriptor, 'digest' | 'size'>): Readable {
  return markSelfChecking(Readable.from(verified(content, expected), { objectMode: false }), expected.digest);
}

async function* check(content: Bytes, expected: Pick<Descriptor, 'digest' | 'size'>): AsyncGenerator<Uint8Array> {
  const { digest, size } = expected;
  const hash = isSelfChecking(content, digest) ? undefined : createHash(digestAlgorithm(digest));
  let received = 0;
  for await (const chunk of content) {
    hash?.update(chunk);
    received += chunk.length;
    if (received > size) throw sizeMismatch(expected, received);
    yield chunk;
  }
  if (received !== size) throw sizeMismatch(expected, received);
  const actual = hash === undefined ? digest : (`${digestAlgorithm(digest)}:${hash.digest('hex')}` as Digest);
  if (actual !== digest) throw digestMismatch(digest, actual);
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
