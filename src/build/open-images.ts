import type { SourceRange } from '../errors/errors.js';
import type { Image } from '../image/image.js';
import { formatPlatformFull, type Platform } from '../oci/platform.js';
import { formatReference, parseReference } from '../oci/reference.js';
import type { CallOptions } from '../stream/bytes.js';
import { type BaseImages, findNamedContext, type NamedContexts } from './inputs.js';
import { runTasks } from './schedule.js';
import { withExcerpt } from './with-excerpt.js';

/** A use of an image by an instruction: its name as it is written, and what it is to be for. */
export interface ImageUse {
  readonly name: string;
  readonly platform: Platform;
  readonly range: SourceRange;
}

export interface OpenImagesOptions extends CallOptions {
  readonly text: string;
  readonly images: BaseImages;
  readonly contexts: NamedContexts;
}

/** Images of a build by {@link imageKey}. */
export type OpenedImages = ReadonlyMap<string, Image>;

export function imageKey(name: string, platform: Platform): string {
  return `${name} ${formatPlatformFull(platform)}`;
}

/** Each of them moves several blobs at a time. */
const imagesAtOnce = 3;

/**
 * Opens images, those that are `opened` already aside: several names at a time, the platforms of one name one after the
 * other, since the store keeps the last one under the name.
 * @throws LadingError with the place of the use
 */
export async function openImages(
  uses: readonly ImageUse[],
  opened: Map<string, Image>,
  options: OpenImagesOptions,
): Promise<void> {
  const names = new Map<string, ImageUse[]>();
  for (const use of uses) {
    const name = fullName(use, options.contexts);
    names.set(name, [...(names.get(name) ?? []), use]);
  }
  const tasks = [...names.values()].map(uses => ({
    needs: [],
    run: async (signal: AbortSignal) => {
      for (const use of uses) {
        const key = imageKey(use.name, use.platform);
        if (!opened.has(key)) opened.set(key, await openImage(use, { ...options, signal }));
      }
    },
  }));
  await runTasks(tasks, { concurrency: imagesAtOnce, signal: options.signal });
}

async function openImage({ name, platform, range }: ImageUse, options: OpenImagesOptions): Promise<Image> {
  const { images, contexts, signal, text } = options;
  const context = findNamedContext(contexts, name, platform)?.context;
  try {
    if (context?.kind === 'image') return await context.open(platform, { signal });
    return await images.open(name, platform, { signal });
  } catch (error) {
    throw withExcerpt(error, range, text);
  }
}

function fullName({ name, platform }: ImageUse, contexts: NamedContexts): string {
  const context = findNamedContext(contexts, name, platform);
  return context === undefined ? formatReference(parseReference(name)) : `context ${context.name}`;
}
