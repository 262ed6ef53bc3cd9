import { isLadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isDigest } from '../oci/digest.js';
import { formatReference, parseReference } from '../oci/reference.js';
import type { CallOptions } from '../stream/bytes.js';
import type { ImageLayout } from './layout.js';

/** What a name means in the layout of a store, as it is written or as a reference. @throws LadingError REFERENCE_NOT_FOUND */
export async function resolveName(layout: ImageLayout, name: string, options?: CallOptions): Promise<Descriptor> {
  try {
    // Another tool may have written names that are no references.
    return await layout.resolve(name, options);
  } catch (error) {
    if (name === '' || isDigest(name) || !isLadingError(error, 'REFERENCE_NOT_FOUND')) throw error;
    const reference = parseReference(name);
    return layout.resolve(reference.digest ?? formatReference(reference), options);
  }
}
