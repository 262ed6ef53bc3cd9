import { setTimeout as sleep } from 'node:timers/promises';
import { readIndex } from '../content/read-content.js';
import { isLadingError, LadingError } from '../errors/errors.js';
import { openImage } from '../image/image.js';
import { type IndexPart, partsOf } from '../image/index-parts.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isIndexType } from '../oci/media-types.js';
import { formatPlatform, type Platform, parsePlatform } from '../oci/platform.js';
import { formatReference, parseReference, type Reference } from '../oci/reference.js';
import type { Store } from '../store/store.js';
import type { CopyBetweenOptions } from './copy-between.js';
import { copyParts, putIndex } from './image-index.js';
import { copyOptions, type MoveOptions, withEndpoint } from './registry-access.js';
import { transferImage } from './transfer-image.js';

/**
 * Builds of one image on several machines, put together without a race: each machine pushes its image as a *part*, under
 * a tag that nobody else writes, and whoever finds all parts there makes the index. Two that do so at the same time make
 * the same one.
 */

/** The tag of a part: `1.0.run-7.linux-arm64-v8`. */
export function partTag(tag: string, part: string, platform: Platform): string {
  return `${tag}.${part}.${formatPlatform(platform).replaceAll('/', '-')}`;
}

export interface PushPartOptions extends MoveOptions {
  /** What the parts of one index have in common and those of others do not: the number of a CI run. */
  readonly part: string;
  /** The name that the index will have; by default the one in the store. */
  readonly destination?: string | undefined;
}

/**
 * Pushes an image of the store, of one platform, as a part of an index to be.
 * @returns the image, and the name that it has in the registry
 * @throws LadingError USAGE for an image of several platforms
 */
export async function pushPart(
  store: Store,
  name: string,
  options: PushPartOptions,
): Promise<{ readonly descriptor: Descriptor; readonly name: string }> {
  const { signal, part } = options;
  const descriptor = await store.resolve(name, { signal });
  const images = isIndexType(descriptor.mediaType)
    ? partsOf((await readIndex(store, descriptor, { signal })).value)
    : [{ image: descriptor }];
  if (images.length !== 1) {
    throw new LadingError('USAGE', `${name} holds images of several platforms, so it is no part`, {
      details: {},
      hint: 'Push it as it is, without --part.',
    });
  }
  const { config } = await openImage(store, images[0]!.image, { signal });
  const { architecture, os, variant } = config;
  const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
  const reference = partReference(parseReference(options.destination ?? name), part, platform);
  await withEndpoint({ transport: 'registry', reference }, { ...options, store, access: 'write' }, target =>
    transferImage(store, store, descriptor, target, { ...copyOptions(options), name: target.name }),
  );
  return { descriptor, name: formatReference(reference) };
}

export interface MergeOptions extends CopyBetweenOptions {
  readonly part: string;
  /** Every platform that the index is to have. */
  readonly expect: readonly string[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** How long to wait for parts that are not there yet, in milliseconds; by default not at all. */
  readonly waitMs?: number | undefined;
  /** Missing parts are no failure: whoever pushes the last one makes the index. */
  readonly ifComplete?: boolean | undefined;
}

/** How often the registry is asked again for what is missing. */
const pollMs = 3000;

/**
 * Makes the index of parts, in the order of their platforms' names, so that it is the same whoever makes it.
 * @returns `undefined` when parts are missing and `ifComplete` says that this is no failure
 * @throws LadingError PLATFORM_NOT_FOUND naming those that are missing
 */
export async function mergeIndex(name: string, options: MergeOptions): Promise<Descriptor | undefined> {
  const { expect, part, signal, waitMs = 0 } = options;
  const platforms = [...new Set(expect.map(text => formatPlatform(parsePlatform(text, options.host))))].sort();
  if (platforms.length === 0) {
    throw new LadingError('USAGE', 'an index of no platforms is none', { details: { option: 'expect' } });
  }
  const reference = parseReference(name);
  return await withEndpoint({ transport: 'registry', reference }, { ...options, access: 'write' }, async target => {
    const deadline = performance.now() + waitMs;
    const found = new Map<string, Descriptor>();
    for (;;) {
      for (const platform of platforms) {
        if (found.has(platform)) continue;
        const { tag } = partReference(reference, part, parsePlatform(platform, options.host));
        try {
          found.set(platform, await target.resolve(tag!, { signal }));
        } catch (error) {
          if (!isLadingError(error, 'REFERENCE_NOT_FOUND')) throw error;
        }
      }
      if (found.size === platforms.length) break;
      if (performance.now() + pollMs > deadline) {
        if (options.ifComplete) return undefined;
        throw missing(name, platforms, found);
      }
      await sleep(pollMs, undefined, { signal });
    }
    const parts: IndexPart[] = [];
    for (const platform of platforms) parts.push(...(await copyParts(target, found.get(platform)!, target, options)));
    return await putIndex(target, parts, options.annotations, options);
  });
}

function partReference(reference: Reference, part: string, platform: Platform): Reference {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/.test(part)) {
    throw new LadingError('INVALID_VALUE', `not a name for parts: ${JSON.stringify(part.slice(0, 100))}`, {
      details: { what: 'part', value: part.slice(0, 100) },
      hint: 'Use letters, digits, _ and -: the number of the CI run is a good one.',
    });
  }
  const { registry, repository, tag } = reference;
  if (tag === undefined) {
    throw new LadingError('USAGE', 'parts belong to a name with a tag', { details: {}, hint: 'Give NAME:TAG.' });
  }
  return parseReference(`${registry}/${repository}:${partTag(tag, part, platform)}`);
}

function missing(
  name: string,
  platforms: readonly string[],
  found: ReadonlyMap<string, Descriptor>,
): LadingError<'PLATFORM_NOT_FOUND'> {
  const wanted = platforms.filter(platform => !found.has(platform)).join(', ');
  return new LadingError('PLATFORM_NOT_FOUND', `${name} is not complete: ${wanted} is not there`, {
    details: { wanted, available: [...found.keys()] },
    hint: 'Push it with lading push --part, wait for it with --wait, or leave the index to whoever comes last with --if-complete.',
  });
}
