import type { Descriptor } from '../oci/descriptor.js';
import { formatReference, parseReference, type Reference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import { copyOptions, type MoveOptions, withEndpoint } from './registry-access.js';
import { transferImage } from './transfer-image.js';

export interface PushOptions extends MoveOptions {
  /** Another name than the one in the store. */
  readonly destination?: string | undefined;
}

/** Copies an image of the store to a registry: blobs first, the name last. */
export async function pushImage(store: Store, name: string, options: PushOptions = {}): Promise<Descriptor> {
  const descriptor = await store.resolve(formatReference(parseReference(name)), { signal: options.signal });
  return await pushContent(store, descriptor, parseReference(options.destination ?? name), options);
}

/** Pushes an image of the store under a name, or, to a repository alone, under its digest. */
export async function pushContent(
  store: Store,
  descriptor: Descriptor,
  reference: Reference,
  options: MoveOptions,
): Promise<Descriptor> {
  const named = parseReference(pushName(reference, descriptor));
  const location = { transport: 'registry', reference: named } as const;
  return await withEndpoint(location, { ...options, store, access: 'write' }, async target =>
    transferImage(store, store, descriptor, target, { ...copyOptions(options), name: target.name }),
  );
}

/** The whole name that a push gives. */
export function pushName(reference: Reference, { digest }: Descriptor): string {
  const nameless = reference.tag === undefined && reference.digest === undefined;
  return formatReference(nameless ? { ...reference, digest } : reference);
}
