import type { ContentSource, ContentTarget, MountOrigin } from '../content/content.js';
import { type CopyOptions, copyImage } from '../content/copy.js';
import type { Descriptor } from '../oci/descriptor.js';
import { digestHex, digestOf } from '../oci/digest.js';
import { isLayerType } from '../oci/media-types.js';
import type { Store } from '../store/store.js';

/** Of one blob; those that it was seen in last. */
const originLimit = 16;

/**
 * Copies an image, and remembers in the store which repositories have its layers, whether they came from there or went
 * there: a later push to the same registry mounts them instead of sending them.
 */
export async function transferImage(
  store: Store,
  source: ContentSource,
  descriptor: Descriptor,
  target: ContentTarget,
  options: CopyOptions,
): Promise<Descriptor> {
  const places = [source, target].flatMap(place =>
    'mountOrigin' in place ? [(place as MountOrigin).mountOrigin] : [],
  );
  const layers = new Map<string, Descriptor>();
  const copied = await copyImage(source, descriptor, target, {
    ...options,
    mountFrom: async (layer, registry) =>
      (await originsOf(store, layer)).flatMap(origin =>
        origin.startsWith(`${registry}/`) ? [origin.slice(registry.length + 1)] : [],
      ),
    onEvent: event => {
      const moved = event.type === 'blob-done' || event.type === 'blob-mounted' || event.type === 'blob-skipped';
      const there = moved && !(event.type === 'blob-skipped' && event.reason === 'foreign');
      if (there && isLayerType(event.descriptor.mediaType)) layers.set(event.descriptor.digest, event.descriptor);
      options.onEvent?.(event);
    },
  });
  if (!options.dryRun && places.length > 0) {
    const origins = places.map(({ registry, repository }) => `${registry}/${repository}`);
    for (const layer of layers.values()) await remember(store, layer, origins);
  }
  return copied;
}

async function originsOf(store: Store, layer: Descriptor): Promise<string[]> {
  const text = Buffer.from((await store.notes.getNotes(noteKey(layer))) ?? []).toString('utf8');
  return text.split('\n').filter(line => line !== '');
}

async function remember(store: Store, layer: Descriptor, origins: readonly string[]): Promise<void> {
  const known = await originsOf(store, layer);
  const all = [...new Set([...origins, ...known])].slice(0, originLimit);
  if (all.length === known.length && origins.every(origin => known.includes(origin))) return;
  await store.notes.putNotes(noteKey(layer), [Buffer.from(all.join('\n'))]);
}

function noteKey({ digest }: Descriptor): string {
  return digestHex(digestOf(`repositories of ${digest}`));
}
