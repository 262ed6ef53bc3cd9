import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, isDigest } from '../oci/digest.js';
import { formatReference, parseReference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';

/** The whole name for what people write, or the digest that it is. */
export function storeName(text: string): string {
  return isDigest(text) ? text : formatReference(parseReference(text));
}

export interface RemovedImage {
  readonly name: string;
  readonly descriptor: Descriptor;
}

/**
 * Takes names away, for a digest all names of that image; the images go with the next `prune`. All of them must be there
 * before the first is taken.
 * @returns each name that was taken, or the digest of an image that had none
 */
export async function removeImages(
  store: Store,
  names: readonly string[],
  options: CallOptions = {},
): Promise<RemovedImage[]> {
  const wanted = new Map<string, readonly RemovedImage[]>();
  for (const text of names) {
    const name = storeName(text);
    const descriptor = await store.resolve(name, options);
    const named = isDigest(name) ? await namesOf(store, name) : [];
    wanted.set(
      name,
      (named.length === 0 ? [name] : named).map(name => ({ name, descriptor })),
    );
  }
  for (const name of wanted.keys()) await store.untag(name, options);
  return [...wanted.values()].flat();
}

async function namesOf(store: Store, digest: Digest): Promise<string[]> {
  const images = await store.images();
  return images.flatMap(({ name, descriptor }) => (descriptor.digest === digest ? (name ?? []) : [])).sort();
}

/** Gives an image of the store a further name. */
export async function tagImage(
  store: Store,
  source: string,
  name: string,
  options: CallOptions = {},
): Promise<Descriptor> {
  const reference = parseReference(name);
  if (reference.digest !== undefined) {
    throw new LadingError('USAGE', `an image cannot be named by a digest: ${name}`, { details: { option: 'name' } });
  }
  const descriptor = await store.resolve(storeName(source), options);
  await store.tag(descriptor, formatReference(reference), options);
  return descriptor;
}
