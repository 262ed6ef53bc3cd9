import { formatReference, isLadingError, parseReference, type Store } from '../src/index.js';
import { UsageError } from './usage-error.js';

const shortId = /^(?:sha256:)?([0-9a-f]{4,64})$/;

/**
 * What people write for an image of the store: a name or a digest as it is; the beginning of a digest, as `images`
 * shows it, becomes the digest. A name goes before a digest that begins like it.
 */
export async function imageName(store: Store, text: string): Promise<string> {
  const id = shortId.exec(text)?.[1];
  if (id === undefined || id.length === 64) return id === undefined ? text : `sha256:${id}`;
  if (!text.includes(':') && (await isName(store, text))) return text;
  const digests = new Set((await store.images()).map(({ descriptor }) => descriptor.digest));
  const found = [...digests].filter(digest => digest.startsWith(`sha256:${id}`));
  if (found.length > 1) {
    throw new UsageError(
      `${text} is the beginning of ${found.length} images`,
      `Write more of it: ${found.join(', ')}.`,
    );
  }
  return found[0] ?? text;
}

async function isName(store: Store, text: string): Promise<boolean> {
  try {
    await store.resolve(formatReference(parseReference(text)));
    return true;
  } catch (error) {
    if (isLadingError(error)) return false;
    throw error;
  }
}
