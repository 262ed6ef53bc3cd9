import type { BaseImages } from '../build/inputs.js';
import type { CopyEvent } from '../content/copy.js';
import { isLadingError, LadingError } from '../errors/errors.js';
import { type Image, openImage } from '../image/image.js';
import { type Platform, platformDistance } from '../oci/platform.js';
import { formatReference, parseReference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import { isNamed } from './is-named.js';
import { copyOptions, type TransferOptions, withEndpoint } from './registry-access.js';
import { transferImage } from './transfer-image.js';

/** When registries are asked: only for what the store lacks, always, or never. */
export type PullPolicy = 'missing' | 'always' | 'never';

export interface BaseImagesOptions extends Omit<TransferOptions, 'onEvent'> {
  readonly store: Store;
  readonly pull: PullPolicy;
  /** Read manifest and config where they are, and leave nothing in the store. */
  readonly configsOnly?: boolean | undefined;
  readonly onEvent?: ((reference: string, event: CopyEvent) => void) | undefined;
}

/** Images by name for a build: from the store, else from their registry, which leaves them in the store under their name. */
export function baseImages(options: BaseImagesOptions): BaseImages {
  return {
    async open(text, platform, call = {}) {
      const name = formatReference(parseReference(text));
      const stored = options.pull === 'always' ? undefined : await fromStore(options.store, name, platform, call);
      // An image of another platform is second best to what the registry may have; a build then warns of it.
      if (stored !== undefined && (options.pull === 'never' || serves(stored, platform))) return stored;
      if (options.pull !== 'never') return await fromRegistry(text, platform, { ...options, ...call });
      throw new LadingError('REFERENCE_NOT_FOUND', `${text} is not in the store`, {
        details: { reference: name },
        hint: 'Pull or load it first, or let the build ask its registry.',
      });
    },
  };
}

async function fromStore(
  store: Store,
  name: string,
  platform: Platform,
  call: CallOptions,
): Promise<Image | undefined> {
  try {
    return await openImage(store, await store.resolve(name, call), { platform, ...call });
  } catch (error) {
    const elsewhere = ['REFERENCE_NOT_FOUND', 'PLATFORM_NOT_FOUND', 'BLOB_NOT_FOUND'] as const;
    if (elsewhere.some(code => isLadingError(error, code))) return undefined;
    throw error;
  }
}

function serves({ config }: Image, wanted: Platform): boolean {
  const { os, architecture, variant } = config;
  return architecture === '' || platformDistance(wanted, { os, architecture, variant }) !== undefined;
}

async function fromRegistry(text: string, platform: Platform, options: BaseImagesOptions): Promise<Image> {
  const { store, signal, onEvent, configsOnly } = options;
  const reference = parseReference(text);
  const events = { onEvent: (event: CopyEvent) => onEvent?.(text, event) };
  return await withEndpoint(
    { transport: 'registry', reference },
    { ...options, ...events, access: 'read' },
    async source => {
      const name = formatReference(reference);
      const toOpen = configsOnly || !(await isNamed(store, name, { signal }));
      const descriptor = await source.resolve(source.name, { signal, toOpen });
      if (configsOnly) return await openImage(source, descriptor, { platform, signal });
      const moving = copyOptions({ ...options, ...events });
      const copying = { ...moving, platforms: [platform], name };
      const copied = await transferImage(store, source, descriptor, store, copying);
      return await openImage(store, copied, { platform, signal });
    },
  );
}
