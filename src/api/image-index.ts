import type { ContentSource } from '../content/content.js';
import { readIndex } from '../content/read-content.js';
import { LadingError } from '../errors/errors.js';
import { openImage } from '../image/image.js';
import { type IndexPart, indexOf, partsOf } from '../image/index-parts.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isDigest } from '../oci/digest.js';
import { isIndexType } from '../oci/media-types.js';
import { formatPlatform, formatPlatformFull, type Platform, parsePlatform } from '../oci/platform.js';
import { inOnePiece } from '../stream/bytes.js';
import type { Endpoint } from '../transport/endpoint.js';
import { type CopyBetweenOptions, withPlace } from './copy-between.js';
import { copyOptions } from './registry-access.js';
import { transferImage } from './transfer-image.js';

/** Images of several platforms: indexes made of what is somewhere already. */
export interface IndexOptions extends CopyBetweenOptions {
  /** Of the index itself. They make it an OCI index, whatever its images are. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/**
 * Makes an index of images, wherever they are, and gives it a name; what the place of the name lacks of them is copied
 * there first. Of sources that are indexes themselves all images are taken.
 * @throws LadingError USAGE when two of them are for one platform, and whatever the places throw
 */
export async function createIndex(
  name: string,
  sources: readonly string[],
  options: IndexOptions,
): Promise<Descriptor> {
  return await withPlace(name, 'write', options, async target => {
    const parts = await collect(sources, target, options);
    return await putIndex(target, parts, options.annotations, options);
  });
}

/** Adds images to an index; those for platforms that it has already take their place. */
export async function appendToIndex(
  name: string,
  sources: readonly string[],
  options: IndexOptions,
): Promise<Descriptor> {
  return await withPlace(name, 'write', options, async target => {
    const { parts, annotations } = await existing(target, name, options);
    const added = await collect(sources, target, options);
    const replaced = new Set(added.map(({ image }) => platformOf(image)));
    const kept = parts.filter(({ image }) => !replaced.has(platformOf(image)));
    return await putIndex(target, [...kept, ...added], { ...annotations, ...options.annotations }, options);
  });
}

/**
 * Takes images out of an index, by platform or digest, with what is said of them.
 * @throws LadingError PLATFORM_NOT_FOUND when one is not there; USAGE when none would be left
 */
export async function removeFromIndex(
  name: string,
  removed: readonly string[],
  options: IndexOptions,
): Promise<Descriptor> {
  return await withPlace(name, 'write', options, async target => {
    const { parts, annotations } = await existing(target, name, options);
    const gone = new Set<IndexPart>();
    for (const text of removed) {
      const wanted = isDigest(text) ? text : formatPlatformFull(parsePlatform(text, options.host));
      const found = parts.filter(({ image }) => image.digest === wanted || platformOf(image) === wanted);
      if (found.length === 0) throw notThere(name, text, parts);
      for (const part of found) gone.add(part);
    }
    const kept = parts.filter(part => !gone.has(part));
    if (kept.length === 0) {
      throw new LadingError('USAGE', `nothing would be left in ${name}`, {
        details: {},
        hint: 'Delete the whole name with lading delete.',
      });
    }
    return await putIndex(target, kept, { ...annotations, ...options.annotations }, options);
  });
}

/** The images of sources, copied to the target, with the platforms that they are for. */
export async function collect(
  sources: readonly string[],
  target: Endpoint,
  options: CopyBetweenOptions,
): Promise<IndexPart[]> {
  const parts: IndexPart[] = [];
  for (const text of sources) {
    await withPlace(text, 'read', options, async source => {
      const descriptor = await source.resolve(source.name, { signal: options.signal, toOpen: true });
      parts.push(...(await copyParts(source, descriptor, target, options)));
    });
  }
  return parts;
}

/** The images behind one descriptor, copied to the target. */
export async function copyParts(
  source: ContentSource,
  descriptor: Descriptor,
  target: Endpoint,
  options: CopyBetweenOptions,
): Promise<IndexPart[]> {
  const { signal } = options;
  const found = isIndexType(descriptor.mediaType)
    ? partsOf((await readIndex(source, descriptor, { signal })).value)
    : [{ image: descriptor, statements: [] }];
  const parts: IndexPart[] = [];
  for (const { image, statements } of found) {
    const { platform } = image;
    parts.push({
      image: platform === undefined ? await withPlatform(source, image, options) : image,
      statements,
    });
    for (const each of [image, ...statements]) {
      await transferImage(options.store, source, each, target, copyOptions(options));
    }
  }
  return parts;
}

/** Writes an index over what is there, under the name of the place. */
export async function putIndex(
  target: Endpoint,
  parts: readonly IndexPart[],
  annotations: Readonly<Record<string, string>> | undefined,
  { signal }: CopyBetweenOptions,
): Promise<Descriptor> {
  const { descriptor, bytes } = indexOf(parts, annotations);
  await target.put(descriptor, inOnePiece(bytes), { signal });
  await target.tag(descriptor, target.name, { signal });
  return descriptor;
}

/** What an image is for stands in its config where no index says it. */
async function withPlatform(
  source: ContentSource,
  image: Descriptor,
  { signal }: CopyBetweenOptions,
): Promise<Descriptor> {
  const { mediaType, digest, size, artifactType } = image;
  if (isIndexType(mediaType)) return image;
  const { config } = await openImage(source, image, { signal });
  const platform: Platform = {
    architecture: config.architecture,
    os: config.os,
    ...(config.variant === undefined ? {} : { variant: config.variant }),
    ...(config['os.version'] === undefined ? {} : { 'os.version': config['os.version'] }),
  };
  return { mediaType, digest, size, platform, ...(artifactType === undefined ? {} : { artifactType }) };
}

async function existing(
  target: Endpoint,
  name: string,
  { signal }: CopyBetweenOptions,
): Promise<{ readonly parts: readonly IndexPart[]; readonly annotations: Readonly<Record<string, string>> }> {
  const descriptor = await target.resolve(target.name, { signal, toOpen: true });
  if (!isIndexType(descriptor.mediaType)) {
    throw new LadingError('USAGE', `${name} is one image, not an index`, {
      details: {},
      hint: `Make an index of it: lading index create NEW-NAME ${name} …`,
    });
  }
  const { value } = await readIndex(target, descriptor, { signal });
  return { parts: partsOf(value), annotations: value.annotations ?? {} };
}

function platformOf({ platform, digest }: Descriptor): string {
  return platform === undefined ? digest : formatPlatformFull(platform);
}

function notThere(name: string, wanted: string, parts: readonly IndexPart[]): LadingError<'PLATFORM_NOT_FOUND'> {
  const available = parts.map(({ image }) => (image.platform ? formatPlatform(image.platform) : image.digest));
  return new LadingError('PLATFORM_NOT_FOUND', `${wanted} is not in ${name}`, {
    details: { wanted, available },
    hint: `There is: ${available.slice(0, 20).join(', ')}.`,
  });
}
