/**
 * Immutable views of images. A view is read once from a source and then holds the exact bytes that its digests are of;
 * changing an image means assembling another (`mutate.ts`). This folder must not know where images live.
 */
import type { ContentSource } from '../content/content.js';
import { readContent, readIndex, readManifest } from '../content/read-content.js';
import { selectPlatform } from '../content/select-platform.js';
import { LadingError } from '../errors/errors.js';
import { configSizeLimit, type ImageConfig, parseConfig } from '../oci/config.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { ImageManifest } from '../oci/manifest.js';
import { isConfigType, isIndexType, isLayerType, isManifestType } from '../oci/media-types.js';
import type { Platform } from '../oci/platform.js';
import type { CallOptions } from '../stream/bytes.js';

/** One file system change set, with its two digests: the blob's as stored, and the diffId of the uncompressed tar. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface Image {
  /** Of the manifest. */
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  /** Exact bytes behind `manifest` and `config`; digests are of these, never of an encoding made again. */
  readonly raw: { readonly manifest: Uint8Array; readonly config: Uint8Array };
  /** Oldest first. */
  readonly layers: readonly Layer[];
}

export interface OpenImageOptions extends CallOptions {
  /** Which image of an index; an index without one is refused. */
  readonly platform?: Platform | undefined;
}

/**
 * Reads an image: of a manifest that, of an index the one for the platform.
 * @throws LadingError PLATFORM_NOT_FOUND, INVALID_DOCUMENT, UNSUPPORTED for what is no image for containers
 */
export async function openImage(
  source: Pick<ContentSource, 'open'>,
  descriptor: Descriptor,
  options: OpenImageOptions = {},
): Promise<Image> {
  const chosen = await chosenManifest(source, descriptor, options);
  const manifest = await readManifest(source, chosen, options);
  const { config: configDescriptor, layers, artifactType } = manifest.value;
  if (!isConfigType(configDescriptor.mediaType)) {
    throw notAnImage(chosen, `an artifact of type ${artifactType ?? configDescriptor.mediaType}`);
  }
  const configBytes = await readContent(source, configDescriptor, configSizeLimit, 'an image config', options);
  const config = parseConfig(configBytes, configDescriptor.digest);
  const odd = layers.find(layer => !isLayerType(layer.mediaType));
  if (odd !== undefined) throw notAnImage(chosen, `an image with a layer of type ${odd.mediaType}`);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== layers.length) {
    const problem = `its manifest has ${layers.length} layers, its config ${diffIds.length}`;
    throw new LadingError('INVALID_DOCUMENT', `not a valid image (${chosen.digest}): ${problem}`, {
      details: { what: 'image', digest: chosen.digest, problem },
    });
  }
  return {
    descriptor: chosen,
    manifest: manifest.value,
    config,
    raw: { manifest: manifest.bytes, config: configBytes },
    layers: layers.map((layer, i) => ({ descriptor: layer, diffId: diffIds[i]! })),
  };
}

async function chosenManifest(
  source: Pick<ContentSource, 'open'>,
  descriptor: Descriptor,
  options: OpenImageOptions,
): Promise<Descriptor> {
  let current = descriptor;
  // Indexes nest in practice once at the most.
  for (let depth = 0; depth < 3 && isIndexType(current.mediaType); depth++) {
    if (options.platform === undefined) {
      throw new LadingError('USAGE', `${descriptor.digest} holds images of several platforms`, {
        details: { option: 'platform' },
        hint: 'Say which one is meant with --platform.',
      });
    }
    const { value } = await readIndex(source, current, options);
    current = selectPlatform(value, options.platform);
  }
  if (isManifestType(current.mediaType)) return current;
  if (current.mediaType.startsWith('application/vnd.docker.distribution.manifest.v1')) {
    throw notAnImage(current, 'an image in the Docker schema 1 format, which has been out of use since 2017');
  }
  throw notAnImage(current, `of type ${current.mediaType}`);
}

function notAnImage({ digest }: Descriptor, what: string): LadingError<'UNSUPPORTED'> {
  return new LadingError('UNSUPPORTED', `${digest} is ${what}, not an image that can be read here`, {
    details: { feature: what },
    hint: 'Use an image in the OCI format or in Docker schema 2.',
  });
}
