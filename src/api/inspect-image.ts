import type { ContentSource } from '../content/content.js';
import { readIndex, readManifest } from '../content/read-content.js';
import { isAttestation } from '../content/select-platform.js';
import { type Image, openImage } from '../image/image.js';
import { validateImage } from '../image/validate.js';
import type { HistoryEntry, ImageConfig } from '../oci/config.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { ImageIndex, ImageManifest } from '../oci/manifest.js';
import { isIndexType } from '../oci/media-types.js';
import { type Platform, parsePlatform } from '../oci/platform.js';
import type { CallOptions } from '../stream/bytes.js';
import { type CopyBetweenOptions, withPlace } from './copy-between.js';
import { storeName } from './store-names.js';

export interface InspectOptions extends CopyBetweenOptions {
  /** Which image of an index; by default the host's, else the only one. */
  readonly platform?: string | undefined;
  /** Read every blob and check all that an image must fulfil. */
  readonly verify?: boolean | undefined;
}

export interface Inspection {
  readonly name: string;
  /** What the name leads to. */
  readonly descriptor: Descriptor;
  /** When the name leads to an index. */
  readonly index?: ImageIndex | undefined;
  /** Of the image that was chosen. */
  readonly manifestDescriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  /** What is said of the image in its index: the types of the statements. */
  readonly attestations: ReadonlyArray<{ readonly digest: Digest; readonly predicateType: string }>;
}

/**
 * Looks at an image: a name or digest of the store, or a location such as `docker://…` or `oci:…`.
 * @throws LadingError IMAGE_INVALID with `verify`, listing everything that is wrong
 */
export async function inspectImage(text: string, options: InspectOptions): Promise<Inspection> {
  return await withImageSource(text, options, async (source, name) => {
    const { signal } = options;
    const descriptor = await source.resolve(name, { signal, toOpen: true });
    if (options.verify) await validateImage(source, descriptor, { signal });
    const index = isIndexType(descriptor.mediaType)
      ? (await readIndex(source, descriptor, { signal })).value
      : undefined;
    const image = await chosenImage(source, descriptor, index, options);
    return {
      name: text,
      descriptor,
      index,
      manifestDescriptor: image.descriptor,
      manifest: image.manifest,
      config: image.config,
      attestations: await attestationsOf(source, image.descriptor, index, { signal }),
    };
  });
}

/** A copy of an image may have come without them. */
async function attestationsOf(
  source: ContentSource,
  image: Descriptor,
  index: ImageIndex | undefined,
  call: CallOptions,
): Promise<Inspection['attestations']> {
  const found: Array<Inspection['attestations'][number]> = [];
  for (const descriptor of index?.manifests ?? []) {
    if (!isAttestation(descriptor) || subjectOf(descriptor) !== image.digest) continue;
    if (!(await source.has(descriptor, call))) continue;
    for (const { digest, annotations } of (await readManifest(source, descriptor, call)).value.layers) {
      found.push({ digest, predicateType: annotations?.['in-toto.io/predicate-type'] ?? 'unknown' });
    }
  }
  return found;
}

function subjectOf({ annotations }: Descriptor): string | undefined {
  return annotations?.['vnd.docker.reference.digest'];
}

/** One line of an image's history with the layer that it made, newest first. */
export interface HistoryLine {
  readonly entry: HistoryEntry;
  /** Absent for entries that made none. */
  readonly layer?: Descriptor | undefined;
}

export async function imageHistory(text: string, options: InspectOptions): Promise<HistoryLine[]> {
  const { manifest, config } = await inspectImage(text, options);
  const layers = [...manifest.layers];
  const lines = (config.history ?? []).map(entry => ({ entry, layer: entry.empty_layer ? undefined : layers.shift() }));
  const unspoken = layers.map(layer => ({ entry: {}, layer }));
  return [...lines, ...unspoken].reverse();
}

/** The only image of an index, when nothing was asked for and the host's own is not there, is a good answer. */
async function chosenImage(
  source: ContentSource,
  descriptor: Descriptor,
  index: ImageIndex | undefined,
  options: InspectOptions,
): Promise<Image> {
  const { signal, host } = options;
  const images = index?.manifests.filter(manifest => !isAttestation(manifest)) ?? [];
  if (options.platform === undefined && images.length === 1) return await openImage(source, images[0]!, { signal });
  const platform: Platform = options.platform === undefined ? host : parsePlatform(options.platform, host);
  return await openImage(source, descriptor, { platform, signal });
}

const location = /^(?:docker:\/\/|store:|oci:|oci-archive:|docker-archive:)/;

async function withImageSource<T>(
  text: string,
  options: InspectOptions,
  use: (source: ContentSource, name: string) => Promise<T>,
): Promise<T> {
  if (!location.test(text)) return await use(options.store, storeName(text));
  return await withPlace(text, 'read', options, place => use(place, place.name));
}
