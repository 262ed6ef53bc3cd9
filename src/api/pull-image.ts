import { copyImage } from '../content/copy.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Platform, parsePlatform } from '../oci/platform.js';
import { formatReference, parseReference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import { type TransferOptions, withEndpoint } from './registry-access.js';

export interface PullOptions extends TransferOptions {
  /** What `local` means. */
  readonly host: Platform;
  /** Which manifests of an index to take; by default the one for the host. */
  readonly platforms?: 'all' | readonly string[] | undefined;
}

/** Copies an image from its registry into the store, under its name. */
export async function pullImage(store: Store, name: string, options: PullOptions): Promise<Descriptor> {
  const { signal, onEvent, concurrency } = options;
  const reference = parseReference(name);
  const platforms = choosePlatforms(options.platforms, options.host);
  return await withEndpoint({ transport: 'registry', reference }, { ...options, access: 'read' }, async source => {
    const descriptor = await source.resolve(source.name, { signal });
    return await copyImage(source, descriptor, store, {
      name: formatReference(reference),
      platforms,
      signal,
      onEvent,
      concurrency,
    });
  });
}

/** Platforms as written, by default the host's. */
export function choosePlatforms(
  written: 'all' | readonly string[] | undefined,
  host: Platform,
): 'all' | readonly Platform[] {
  if (written === 'all') return 'all';
  return written === undefined || written.length === 0 ? [host] : written.map(text => parsePlatform(text, host));
}
