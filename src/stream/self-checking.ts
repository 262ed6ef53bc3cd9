import type { Digest } from '../oci/digest.js';
import type { Bytes } from './bytes.js';

/** Content that fails instead of ending when its bytes are not those of a digest, and that digest. */
const known = new WeakMap<Bytes, Digest>();

/** Says so of content. What is so marked is hashed once on its way from where it is read to where it is written. */
export function markSelfChecking<T extends Bytes>(content: T, digest: Digest): T {
  known.set(content, digest);
  return content;
}

export function isSelfChecking(content: Bytes, digest: Digest): boolean {
  return known.get(content) === digest;
}

/** The same content, with every chunk shown when it has been passed on; it checks itself when `content` does. */
export function observed(content: Bytes, onChunk: (chunk: Uint8Array) => void): Bytes {
  const digest = known.get(content);
  const passing = passOn(content, onChunk);
  return digest === undefined ? passing : markSelfChecking(passing, digest);
}

async function* passOn(content: Bytes, onChunk: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    yield chunk;
    onChunk(chunk);
  }
}
