import type { BuildResult, ImageVariant } from '../build/assemble.js';
import { formatReference, parseReference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import type { StoredName } from './output-plan.js';

/** Enters the images of a build into the store's list. Returns the names that they have there now, each once. */
export async function nameImages(
  stored: readonly StoredName[],
  variant: (wanted: ImageVariant) => Promise<BuildResult>,
  { store, signal }: CallOptions & { readonly store: Store },
): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const { variant: wanted, name, prefix } of stored) {
    const { descriptor } = await variant(wanted);
    const full = prefix === undefined ? name : `${prefix}@${descriptor.digest}`;
    if (full === undefined) {
      await store.keep(descriptor, { signal });
      continue;
    }
    await store.tag(descriptor, full, { signal });
    names.add(formatReference(parseReference(full)));
  }
  return [...names];
}
