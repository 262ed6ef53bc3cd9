import type { Descriptor } from '../oci/descriptor.js';
import { isForeignLayerType } from '../oci/media-types.js';

/** The annotation that names an image in a layout (OCI image-spec, annotations.md). */
export const refNameAnnotation = 'org.opencontainers.image.ref.name';

/** Annotations of ours that speak of an entry of `index.json`, never of the image. */
const stampPrefix = 'lading.';

/** The name that an entry of `index.json` has. */
export function refNameOf(entry: Descriptor): string | undefined {
  const { annotations } = entry;
  return annotations && Object.hasOwn(annotations, refNameAnnotation) ? annotations[refNameAnnotation] : undefined;
}

/** The descriptor without what `index.json` adds to it, so that nothing of one layout travels to another place. */
export function plainDescriptor(entry: Descriptor): Descriptor {
  const { annotations, ...rest } = entry;
  const own = Object.entries(annotations ?? {}).filter(
    ([key]) => key !== refNameAnnotation && !key.startsWith(stampPrefix),
  );
  return own.length > 0 ? { ...rest, annotations: Object.fromEntries(own) } : rest;
}

/** What we have noted on an entry: when the image was stored. */
export function stampsOf(entry: Descriptor): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(entry.annotations ?? {}).filter(([key]) => key.startsWith(stampPrefix)));
}

/** An entry of `index.json`; `urls` and `data` of the descriptor stay behind. */
export function makeEntry(
  descriptor: Descriptor,
  name: string | undefined,
  stamps: Readonly<Record<string, string>>,
): Descriptor {
  const { mediaType, digest, size, platform, artifactType, annotations } = plainDescriptor(descriptor);
  const all = { ...annotations, ...(name === undefined ? {} : { [refNameAnnotation]: name }), ...stamps };
  return {
    mediaType,
    digest,
    size,
    ...(platform ? { platform } : {}),
    ...(artifactType ? { artifactType } : {}),
    ...(Object.keys(all).length > 0 ? { annotations: all } : {}),
  };
}

export function withoutName(entry: Descriptor): Descriptor {
  const { [refNameAnnotation]: _, ...annotations } = entry.annotations ?? {};
  return { ...entry, annotations };
}

/** Layers that a licence keeps out of layouts: an image is whole without them. */
export function mayBeMissing(descriptor: Descriptor): boolean {
  return isForeignLayerType(descriptor.mediaType) || (descriptor.urls?.length ?? 0) > 0;
}
