import * as z from 'zod/mini';
import type { ContentSource, ContentTarget } from '../../content/content.js';
import { readIndex, readManifest } from '../../content/read-content.js';
import { type ReferrersOptions, referrerOf } from '../../content/referrers.js';
import { isLadingError, LadingError } from '../../errors/errors.js';
import { type Descriptor, descriptorSchema } from '../../oci/descriptor.js';
import { type Digest, digestOf } from '../../oci/digest.js';
import { encodeManifest, type ImageIndex, parseIndex, parseManifest } from '../../oci/manifest.js';
import { isIndexType, mediaTypes } from '../../oci/media-types.js';
import { type CallOptions, inOnePiece } from '../../stream/bytes.js';
import type { RegistryConnection } from './connection.js';
import { listPages } from './pages.js';

/** A repository, as far as referrers need it. */
export interface ReferrerRepository {
  readonly content: ContentSource & ContentTarget;
  readonly connection: RegistryConnection;
  readonly repository: string;
  readonly scopes: readonly string[];
}

const schema = z.looseObject({ manifests: z.nullish(z.array(descriptorSchema)) });
/** What registries from before OCI 1.1 say to a path that they do not know. */
const unknownPath = [400, 404, 405, 501];
/** Somebody else may change the fallback tag between our reading and writing it. */
const attempts = 8;

/** What speaks of `subject` (distribution-spec, "Listing Referrers"). */
export async function* listReferrers(
  place: ReferrerRepository,
  subject: Digest,
  options: ReferrersOptions,
): AsyncGenerator<Descriptor> {
  const { artifactType, signal } = options;
  let answered = false;
  const found = new Set<Digest>();
  for await (const descriptors of apiPages(place, subject, options)) {
    answered = true;
    for (const descriptor of descriptors) {
      if (found.has(descriptor.digest)) continue;
      found.add(descriptor.digest);
      // Registries may leave the choosing to us.
      if (artifactType === undefined || descriptor.artifactType === artifactType) yield descriptor;
    }
  }
  if (answered) return;
  const { manifests } = await readFallback(place, subject, { signal });
  for (const descriptor of manifests) {
    if (artifactType === undefined || descriptor.artifactType === artifactType) yield descriptor;
  }
}

/**
 * Called for a manifest that was just written and that the registry did not acknowledge to speak of another: where it
 * has no list of its own, the manifest is entered into the index under the fallback tag (distribution-spec, "Pushing
 * Manifests with Subject").
 * @throws LadingError REGISTRY_PROTOCOL when others keep on overwriting the tag
 */
export async function noteReferrer(
  place: ReferrerRepository,
  descriptor: Descriptor,
  bytes: Uint8Array,
  options: CallOptions,
): Promise<void> {
  const document = isIndexType(descriptor.mediaType) ? parseIndex(bytes) : parseManifest(bytes);
  if (document.subject === undefined) return;
  const subject = document.subject.digest;
  for await (const _ of apiPages(place, subject, options)) return;
  const entry = referrerOf(descriptor, document);
  await changeFallback(place, subject, options, manifests =>
    manifests.some(({ digest }) => digest === entry.digest) ? undefined : [...manifests, entry],
  );
}

/** Called before a manifest is deleted: takes it out of the fallback index, if there is one and it is in it. */
export async function forgetReferrer(place: ReferrerRepository, digest: Digest, options: CallOptions): Promise<void> {
  let subject: Digest | undefined;
  try {
    const descriptor = await place.content.resolve(digest, { ...options, toOpen: true });
    const read = isIndexType(descriptor.mediaType) ? readIndex : readManifest;
    subject = (await read(place.content, descriptor, options)).value.subject?.digest;
  } catch (error) {
    options.signal?.throwIfAborted();
    // The deletion itself will say what is wrong.
    if (isLadingError(error)) return;
    throw error;
  }
  if (subject === undefined) return;
  for await (const _ of apiPages(place, subject, options)) return;
  await changeFallback(place, subject, options, manifests => {
    const others = manifests.filter(each => each.digest !== digest);
    return others.length === manifests.length ? undefined : others;
  });
}

/** The tag under which the referrers of a manifest are where the registry does not list them: `sha256-HEX`. */
export function fallbackTag(subject: Digest): string {
  const colon = subject.indexOf(':');
  return `${subject.slice(0, colon).slice(0, 32)}-${subject.slice(colon + 1).slice(0, 64)}`;
}

/** No page at all when the registry has no such list. */
async function* apiPages(
  { connection, repository, scopes }: ReferrerRepository,
  subject: Digest,
  { artifactType, signal }: ReferrersOptions,
): AsyncGenerator<readonly Descriptor[]> {
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
  const pages = listPages(connection, {
    path: `/v2/${repository}/referrers/${subject}${query}`,
    schema,
    what: `what refers to ${subject}`,
    scopes,
    signal,
    headers: { accept: mediaTypes.index },
    missing: unknownPath,
  });
  for await (const { value } of pages) yield value.manifests ?? [];
}

async function readFallback(
  { content }: ReferrerRepository,
  subject: Digest,
  options: CallOptions,
): Promise<{ readonly manifests: readonly Descriptor[]; readonly foreign?: boolean }> {
  try {
    const descriptor = await content.resolve(fallbackTag(subject), { ...options, toOpen: true });
    // Somebody's image that is only called like that.
    if (!isIndexType(descriptor.mediaType)) return { manifests: [], foreign: true };
    return { manifests: (await readIndex(content, descriptor, options)).value.manifests };
  } catch (error) {
    if (isLadingError(error, 'REFERENCE_NOT_FOUND')) return { manifests: [] };
    throw error;
  }
}

/** Reads, changes, writes, and looks whether it stayed: tags know no compare-and-swap. */
async function changeFallback(
  place: ReferrerRepository,
  subject: Digest,
  options: CallOptions,
  change: (manifests: readonly Descriptor[]) => readonly Descriptor[] | undefined,
): Promise<void> {
  const { content, connection, repository } = place;
  const tag = fallbackTag(subject);
  const name = `${connection.registry}/${repository}:${tag}`;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { manifests: known, foreign } = await readFallback(place, subject, options);
    if (foreign) {
      throw new LadingError('REGISTRY_PROTOCOL', `${name} is an image, where the list of referrers has to be`, {
        details: { url: name, problem: 'the tag for a list of referrers is in use' },
        hint: 'Give the image another tag and delete this one.',
      });
    }
    const manifests = change(known);
    if (manifests === undefined) return;
    const index: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
    const bytes = encodeManifest(index);
    const descriptor = { mediaType: mediaTypes.index, digest: digestOf(bytes), size: bytes.length };
    await content.put(descriptor, inOnePiece(bytes), options);
    await content.tag(descriptor, tag, options);
  }
  throw new LadingError('REGISTRY_PROTOCOL', `${name}: others keep changing this list of referrers`, {
    details: { url: name, problem: 'changed by others again and again' },
    hint: 'Try again.',
  });
}
