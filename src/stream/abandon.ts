import { Readable } from 'node:stream';
import type { Bytes } from './bytes.js';

/** Tells the giver of bytes that nobody wants them. */
export async function abandon(content: Bytes): Promise<void> {
  if (content instanceof Readable) content.destroy();
  else await content[Symbol.asyncIterator]().return?.();
}
