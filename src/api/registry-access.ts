import type { CopyEvent } from '../content/copy.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import type { Location } from '../transport/location.js';
import { type Endpoint, openLocation, type RegistryAccessOptions } from '../transport/open.js';

export type RegistryAccess = RegistryAccessOptions;

/** What all operations that move images take. */
export interface TransferOptions extends CallOptions {
  readonly registry?: RegistryAccess | undefined;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
  /** Blobs in flight at a time. */
  readonly concurrency?: number | undefined;
}

/** Opens a location for as long as `use` runs; it is closed whatever happens. */
export async function withEndpoint<T>(
  location: Location,
  options: TransferOptions & { readonly access: 'read' | 'write'; readonly store?: Store | undefined },
  use: (endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  const endpoint = await openLocation(location, options);
  let result: T;
  try {
    result = await use(endpoint);
  } catch (error) {
    await endpoint.abort();
    throw error;
  }
  await endpoint.close();
  return result;
}
