import { isLadingError, LadingError } from '../errors/errors.js';
import { openImage } from '../image/image.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Platform, parsePlatform } from '../oci/platform.js';
import { formatReference, parseReference, type Reference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import { isNamed } from './is-named.js';
import { copyOptions, type TransferOptions, withEndpoint } from './registry-access.js';
import { transferImage } from './transfer-image.js';

export interface PullOptions extends TransferOptions {
  /** What `local` means. */
  readonly host: Platform;
  /** Which manifests of an index to take; by default the one for the host. */
  readonly platforms?: 'all' | readonly string[] | undefined;
}

/**
 * Copies an image from its registry into the store, under its name; offline, the image must be there.
 * @throws LadingError OFFLINE, and whatever stands in the way
 */
export async function pullImage(store: Store, name: string, options: PullOptions): Promise<Descriptor> {
  const reference = parseReference(name);
  const platforms = choosePlatforms(options.platforms, options.host);
  if (options.registry?.offline) return await fromStore(store, reference, platforms, options);
  return await withEndpoint({ transport: 'registry', reference }, { ...options, access: 'read' }, async source => {
    // What stands in its way the first blob tells, if there is one.
    const ready = store.ready().catch(() => {});
    const name = formatReference(reference);
    const { signal } = options;
    const toOpen = !(await isNamed(store, name, { signal }));
    const descriptor = await source.resolve(source.name, { signal, toOpen }).finally(() => ready);
    return await transferImage(store, source, descriptor, store, { ...copyOptions(options), name, platforms });
  });
}

async function fromStore(
  store: Store,
  reference: Reference,
  platforms: 'all' | readonly Platform[],
  { signal }: TransferOptions,
): Promise<Descriptor> {
  const name = formatReference(reference);
  try {
    const descriptor = await store.resolve(name, { signal });
    if (platforms === 'all') return descriptor;
    for (const platform of platforms) await openImage(store, descriptor, { platform, signal });
    return descriptor;
  } catch (error) {
    if (!isLadingError(error, 'REFERENCE_NOT_FOUND') && !isLadingError(error, 'PLATFORM_NOT_FOUND')) throw error;
    throw new LadingError('OFFLINE', `${name} is not in the store as it is wanted, and no server may be asked`, {
      details: { url: `https://${reference.registry}/` },
      hint: 'Pull it once without --offline, or load it from an archive.',
      cause: error,
    });
  }
}

/** Platforms as written, by default the host's. */
export function choosePlatforms(
  written: 'all' | readonly string[] | undefined,
  host: Platform,
): 'all' | readonly Platform[] {
  if (written === 'all') return 'all';
  return written === undefined || written.length === 0 ? [host] : written.map(text => parsePlatform(text, host));
}
