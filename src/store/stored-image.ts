import type { Descriptor } from '../oci/descriptor.js';
import type { BlobDirectory } from './blob-directory.js';
import { plainDescriptor } from './layout-entry.js';

/** An image that the store lists. One image with two names is listed twice. */
export interface StoredImage {
  /** The whole reference; absent when the image has no name (any more). */
  readonly name?: string | undefined;
  readonly descriptor: Descriptor;
  /** When it was first stored here: the real age, where its own `created` may be 2000-01-01 for ever. */
  readonly storedAt: Date;
}

const storedAtAnnotation = 'lading.stored-at';

/** What an entry of the index says of the time at which it was made. */
export function storedAtStamp(now: Date): Readonly<Record<string, string>> {
  return { [storedAtAnnotation]: now.toISOString() };
}

/** An entry of the index as an image; of one that another tool made, the age is that of its file. */
export async function storedImage(
  { name, descriptor }: { readonly name?: string | undefined; readonly descriptor: Descriptor },
  blobs: BlobDirectory,
): Promise<StoredImage> {
  const noted = Date.parse(descriptor.annotations?.[storedAtAnnotation] ?? '');
  const made = Number.isNaN(noted) ? (await blobs.stat(descriptor.digest))?.madeMs : noted;
  const image = { descriptor: plainDescriptor(descriptor), storedAt: new Date(made ?? 0) };
  return name === undefined ? image : { name, ...image };
}
