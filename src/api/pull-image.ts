import type { Descriptor } from '../oci/descriptor.js';
import { type Platform, parsePlatform } from '../oci/platform.js';
import { formatReference, parseReference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import { copyOptions, type TransferOptions, withEndpoint } from './registry-access.js';
import { transferImage } from './transfer-image.js';

export interface PullOptions extends TransferOptions {
  /** What `local` means. */
  readonly host: Platform;
  /** Which manifests of an index to take; by default the one for the host. */
  readonly platforms?: 'all' | readonly string[] | undefined;
}

/** Copies an image from its registry into the store, under its name. */
export async function pullImage(store: Store, name: string, options: PullOptions): Promise<Descriptor> {
  const reference = parseReference(name);
  const platforms = choosePlatforms(options.platforms, options.host);
  return await withEndpoint({ transport: 'registry', reference }, { ...options, access: 'read' }, async source => {
    const descriptor = await source.resolve(source.name, { signal: options.signal });
    const name = formatReference(reference);
    return await transferImage(store, source, descriptor, store, { ...copyOptions(options), name, platforms });
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
