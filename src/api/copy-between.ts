import type { Descriptor } from '../oci/descriptor.js';
import type { Platform } from '../oci/platform.js';
import type { Store } from '../store/store.js';
import type { Endpoint } from '../transport/endpoint.js';
import { parseLocation } from '../transport/location.js';
import { choosePlatforms } from './pull-image.js';
import { copyOptions, type MoveOptions, withEndpoint } from './registry-access.js';
import { transferImage } from './transfer-image.js';

export interface CopyBetweenOptions extends MoveOptions {
  readonly host: Platform;
  /** What `store:NAME` means. */
  readonly store: Store;
  /** Which manifests of an index to take; by default all. */
  readonly platforms?: 'all' | readonly string[] | undefined;
}

/**
 * Copies an image between any two places: `docker://REF`, `oci:DIR[:tag]`, `oci-archive:FILE[:tag]`,
 * `docker-archive:FILE[:ref]`, `store:NAME`.
 */
export async function copyBetween(
  source: string,
  destination: string,
  options: CopyBetweenOptions,
): Promise<Descriptor> {
  const { signal, store } = options;
  const platforms = choosePlatforms(options.platforms ?? 'all', options.host);
  return await withPlace(source, 'read', options, async from => {
    const descriptor = await from.resolve(from.name, { signal });
    return await withPlace(destination, 'write', options, async to =>
      transferImage(store, from, descriptor, to, { ...copyOptions(options), name: to.name, platforms }),
    );
  });
}

/** Opens any location, the store among them, for as long as `use` runs. */
export async function withPlace<T>(
  text: string,
  access: 'read' | 'write',
  options: CopyBetweenOptions,
  use: (place: Endpoint) => Promise<T>,
): Promise<T> {
  return await withEndpoint(parseLocation(text), { ...options, access }, use);
}
