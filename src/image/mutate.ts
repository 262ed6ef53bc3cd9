import { encodeConfig, type ImageConfig } from '../oci/config.js';
import type { Descriptor } from '../oci/descriptor.js';
import { digestOf } from '../oci/digest.js';
import { encodeManifest, type ImageIndex, type ImageManifest } from '../oci/manifest.js';
import { compressionOf, layerMediaType, mediaTypes } from '../oci/media-types.js';
import type { LayerRef } from '../tree/node.js';

export interface ImageParts {
  /** Its `rootfs` is replaced by the layers' diffIds. */
  readonly config: ImageConfig;
  /** Oldest first. */
  readonly layers: readonly LayerRef[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Whose media types are written; the bytes of layers are the same in both. @default 'oci' */
  readonly style?: 'oci' | 'docker' | undefined;
}

/** A document that has been encoded, and what points to it. */
export interface EncodedDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface AssembledImage {
  /** Of the manifest. */
  readonly descriptor: Descriptor;
  readonly manifestBytes: Uint8Array;
  readonly config: Descriptor;
  readonly configBytes: Uint8Array;
}

/** The config and the manifest of an image, encoded. Base layers that come with other media types take the image's own. */
export function assembleImage({ config, layers, annotations, style = 'oci' }: ImageParts): AssembledImage {
  const rootfs = { type: 'layers', diff_ids: layers.map(layer => layer.diffId) } as const;
  const docker = style === 'docker';
  const configBytes = encodeConfig({ ...config, rootfs });
  const configDescriptor = describe(docker ? mediaTypes.dockerConfig : mediaTypes.config, configBytes);
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: docker ? mediaTypes.dockerManifest : mediaTypes.manifest,
    config: configDescriptor,
    layers: layers.map(({ blob }) => ({ mediaType: layerType(blob, style), digest: blob.digest, size: blob.size })),
    annotations: annotations && Object.keys(annotations).length > 0 ? annotations : undefined,
  };
  const manifestBytes = encodeManifest(manifest);
  return {
    descriptor: describe(manifest.mediaType, manifestBytes),
    manifestBytes,
    config: configDescriptor,
    configBytes,
  };
}

/** An index over manifests, in the order given; their descriptors should carry platforms. */
export function imageIndex(
  manifests: readonly Descriptor[],
  options: {
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly style?: 'oci' | 'docker' | undefined;
  } = {},
): EncodedDocument {
  const mediaType = options.style === 'docker' ? mediaTypes.dockerIndex : mediaTypes.index;
  const index: ImageIndex = { schemaVersion: 2, mediaType, manifests, annotations: options.annotations };
  const bytes = encodeManifest(index);
  return { descriptor: describe(mediaType, bytes), bytes };
}

function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** Kinds of layers that only one of the two families has (such as non-distributable ones) keep their own type. */
function layerType(blob: Descriptor, style: 'oci' | 'docker'): string {
  const compression = compressionOf(blob.mediaType);
  const plain =
    compression !== undefined &&
    ['oci', 'docker'].some(s => layerMediaType(compression, s as 'oci') === blob.mediaType);
  return plain ? layerMediaType(compression!, style) : blob.mediaType;
}
