import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Platform } from '../oci/platform.js';
import { matchesWildcard } from '../oci/wildcard.js';
import type { Store } from '../store/store.js';
import type { Endpoint } from '../transport/endpoint.js';
import { parseLocation } from '../transport/location.js';
import { copyReferrers } from './copy-referrers.js';
import { choosePlatforms } from './pull-image.js';
import { copyOptions, type MoveOptions, withEndpoint } from './registry-access.js';
import { listTags } from './registry-lists.js';
import { transferImage } from './transfer-image.js';

export interface CopyBetweenOptions extends MoveOptions {
  readonly host: Platform;
  /** What `store:NAME` means. */
  readonly store: Store;
  /** Which manifests of an index to take; by default all. */
  readonly platforms?: 'all' | readonly string[] | undefined;
  /** Copy what speaks of the image as well: signatures, statements, lists of parts. */
  readonly referrers?: boolean | undefined;
}

/**
 * Copies an image between any two places: `docker://REF`, `oci:DIR[:tag]`, `oci-archive:FILE[:tag]`,
 * `docker-archive:FILE[:ref]`, `store:NAME`.
 */
export async function copyBetween(
  source: string,
  destination: string,
  options: CopyBetweenOptions,
): Promise<Descriptor> {
  const { signal, store } = options;
  const platforms = choosePlatforms(options.platforms ?? 'all', options.host);
  return await withPlace(source, 'read', options, async from => {
    // What a registry or an archive is sent is read in any case; a folder or a store may have it.
    const toOpen = !['store', 'oci-layout'].includes(parseLocation(destination).transport);
    const descriptor = await from.resolve(from.name, { signal, toOpen });
    return await withPlace(destination, 'write', options, async to => {
      const plain = { ...copyOptions(options), platforms };
      if (!options.referrers) return await transferImage(store, from, descriptor, to, { ...plain, name: to.name });
      // The name comes last here too: who finds the image finds all that is said of it.
      const copied = await transferImage(store, from, descriptor, to, plain);
      await copyReferrers(from, copied, to, copyOptions(options));
      if (!options.dryRun) await to.tag(copied, to.name, { signal });
      return copied;
    });
  });
}

export interface CopyTagsOptions extends CopyBetweenOptions {
  /** Only tags that fit: text with `*` for any text. By default all. */
  readonly tags?: readonly string[] | undefined;
}

export interface CopiedTag {
  readonly tag: string;
  readonly descriptor: Descriptor;
}

/**
 * Copies the tags of one repository to another of the same or another registry, one after the other, as they come.
 * @throws LadingError USAGE unless both are repositories of registries, without tag or digest
 */
export async function* copyTags(
  source: string,
  destination: string,
  options: CopyTagsOptions,
): AsyncGenerator<CopiedTag> {
  const from = repositoryOf(source);
  const to = repositoryOf(destination);
  const { tags: patterns, signal } = options;
  const matches = (tag: string): boolean => patterns?.some(pattern => matchesWildcard(pattern, tag)) ?? true;
  const tags: string[] = [];
  for await (const tag of listTags(from, { ...options, signal })) if (matches(tag)) tags.push(tag);
  for (const tag of tags) {
    const descriptor = await copyBetween(`docker://${from}:${tag}`, `docker://${to}:${tag}`, options);
    yield { tag, descriptor };
  }
}

function repositoryOf(text: string): string {
  const location = parseLocation(text);
  const plain = text.replace(/^docker:\/\//, '');
  if (location.transport === 'registry') {
    const { registry, repository, digest } = location.reference;
    if (digest === undefined && !/:[^/]*$/.test(plain)) return `${registry}/${repository}`;
  }
  throw new LadingError('USAGE', `${text.slice(0, 300)} is not a repository of a registry`, {
    details: {},
    hint: 'With all tags, give docker://REPOSITORY on both sides, without a tag.',
  });
}

/** Opens any location, the store among them, for as long as `use` runs. */
export async function withPlace<T>(
  text: string,
  access: 'read' | 'write',
  options: CopyBetweenOptions,
  use: (place: Endpoint) => Promise<T>,
): Promise<T> {
  return await withEndpoint(parseLocation(text), { ...options, access }, use);
}
