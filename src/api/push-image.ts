import { copyImage } from '../content/copy.js';
import type { Descriptor } from '../oci/descriptor.js';
import { formatReference, parseReference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import { type TransferOptions, withEndpoint } from './registry-access.js';

export interface PushOptions extends TransferOptions {
  /** Another name than the one in the store. */
  readonly destination?: string | undefined;
}

/** Copies an image of the store to a registry: blobs first, the name last. */
export async function pushImage(store: Store, name: string, options: PushOptions = {}): Promise<Descriptor> {
  const { signal, onEvent, concurrency } = options;
  const descriptor = await store.resolve(formatReference(parseReference(name)), { signal });
  const reference = parseReference(options.destination ?? name);
  return await withEndpoint({ transport: 'registry', reference }, { ...options, access: 'write' }, async target =>
    copyImage(store, descriptor, target, { name: target.name, signal, onEvent, concurrency }),
  );
}
