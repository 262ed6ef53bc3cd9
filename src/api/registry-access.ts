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

/** How images are moved, beside what is moved. */
export interface MoveOptions extends TransferOptions {
  /** Only tell, by the same events, what would be moved. */
  readonly dryRun?: boolean | undefined;
  /** Layers whose licence keeps them out of other registries are copied like any other, not left to their addresses. */
  readonly foreignLayers?: boolean | undefined;
}

/** What of the options is for the copy itself. */
export function copyOptions({
  signal,
  onEvent,
  concurrency,
  dryRun,
  foreignLayers,
  registry,
}: MoveOptions): Pick<MoveOptions, 'signal' | 'onEvent' | 'concurrency' | 'dryRun' | 'foreignLayers'> {
  return { signal, onEvent, concurrency: concurrency ?? registry?.connections, dryRun, foreignLayers };
}

/** Opens a location for as long as `use` runs; it is closed whatever happens. */
export async function withEndpoint<T>(
  location: Location,
  options: TransferOptions & { readonly access: 'read' | 'write'; readonly store?: Store | undefined },
  use: (endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  const endpoint = await openLocation(location, { ...options, journal: options.store });
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
