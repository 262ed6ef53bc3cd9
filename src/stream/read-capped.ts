import { LadingError } from '../errors/errors.js';
import type { Bytes } from './bytes.js';

/**
 * All bytes, in memory, of something that must be small.
 * @throws LadingError SIZE_EXCEEDED as soon as there are more than `limit`
 */
export async function readCapped(content: Bytes, limit: number, what: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > limit) {
      throw new LadingError('SIZE_EXCEEDED', `${what} is larger than ${limit} bytes`, { details: { what, limit } });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
