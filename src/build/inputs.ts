import type { ContentSource, ContentTarget, RecordStore } from '../content/content.js';
import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import { LadingError } from '../errors/errors.js';
import type { Image } from '../image/image.js';
import type { LayerStore } from '../layer/layer-store.js';
import { formatPlatform, type Platform, platformDistance } from '../oci/platform.js';
import { namedContextOf } from '../plan/stage-base.js';
import type { CallOptions } from '../stream/bytes.js';

/** What a build needs of the place that keeps its layers, records and images. */
export interface BuildStore extends ContentSource, ContentTarget, LayerStore, RecordStore {}

/** Gets images by name. What it returns is in the build's store, complete. */
export interface BaseImages {
  open(reference: string, platform: Platform, options?: CallOptions): Promise<Image>;
}

/** A `--build-context`: a folder of this machine, or an image from wherever it says. */
export type NamedContext =
  | { readonly kind: 'directory'; readonly path: string; readonly ignore?: IgnoreMatcher | undefined }
  | { readonly kind: 'image'; open(platform: Platform, options?: CallOptions): Promise<Image> };

export type NamedContexts = ReadonlyMap<string, NamedContext>;

/** The named context that a name in FROM or `--from` means. */
export function findNamedContext(contexts: NamedContexts, name: string): NamedContext | undefined {
  const key = namedContextOf(name, contexts.keys());
  return key === undefined ? undefined : contexts.get(key);
}

/** @throws LadingError PLATFORM_NOT_FOUND when an image that was asked for by platform is of another one */
export function requirePlatform(image: Image, wanted: Platform, name: string): Image {
  const has = { ...image.config } as Platform;
  if (image.config.architecture === '' || platformDistance(wanted, has) !== undefined) return image;
  throw new LadingError('PLATFORM_NOT_FOUND', `${name} is for ${formatPlatform(has)}, not ${formatPlatform(wanted)}`, {
    details: { wanted: formatPlatform(wanted), available: [formatPlatform(has)] },
    hint: `Build for --platform ${formatPlatform(has)}, or use an image that has ${formatPlatform(wanted)}.`,
  });
}
