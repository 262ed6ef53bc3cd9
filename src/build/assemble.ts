import { stepCache } from '../cache/step-cache.js';
import { attestationManifest, statementOf } from '../image/attestation.js';
import { type Image, openImage } from '../image/image.js';
import { assembleImage, type EncodedDocument, imageIndex } from '../image/mutate.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Compression } from '../oci/media-types.js';
import { packageUrl } from '../oci/package-url.js';
import type { Platform } from '../oci/platform.js';
import { parseReference } from '../oci/reference.js';
import { type CallOptions, inOnePiece } from '../stream/bytes.js';
import { type Annotation, annotationsAt } from './annotations.js';
import type { BuiltPlatform } from './build.js';
import type { BuildStore } from './inputs.js';
import { type ProvenanceOptions, provenance } from './provenance.js';
import { variantLayers } from './variant-layers.js';

/** One of the ways in which the image of a build can be written down. */
export interface ImageVariant {
  readonly compression: Compression;
  readonly level: number | undefined;
  /** Also of the layers that the base image came with. */
  readonly forceCompression: boolean;
  /** Whose media types the image has. */
  readonly style: 'oci' | 'docker';
  readonly annotations: readonly Annotation[];
  /** An index also where one manifest would do. */
  readonly index: boolean;
  readonly provenance?: VariantProvenance | undefined;
}

export interface VariantProvenance extends ProvenanceOptions {
  /** What the image is called: what the statement is about. */
  readonly names: readonly string[];
  /** Kept as an artifact, or in the dress of an image. */
  readonly artifact: boolean;
}

export interface BuiltImage {
  readonly platform: Platform;
  readonly image: Image;
}

export interface BuildResult {
  /** The image, or the index over all of them. It is in the store, not named yet. */
  readonly descriptor: Descriptor;
  readonly images: readonly BuiltImage[];
}

/** Writes the image of a build into the store, in one of its variants. */
export async function assembleBuild(
  built: readonly BuiltPlatform[],
  variant: ImageVariant,
  options: CallOptions & { readonly store: BuildStore },
): Promise<BuildResult> {
  const { store, signal } = options;
  const { annotations, style } = variant;
  const put = async ({ descriptor, bytes }: EncodedDocument): Promise<void> =>
    await store.put(descriptor, inOnePiece(bytes), { signal });
  const images: BuiltImage[] = [];
  const manifests: Descriptor[] = [];
  const statements: Descriptor[] = [];
  for (const each of built) {
    const { platform, config } = each;
    const layers = await variantLayers(each, variant, { store, cache: stepCache(store), signal });
    const own = annotationsAt(annotations, 'manifest', platform);
    const assembled = assembleImage({ config, layers, annotations: own, style });
    await put({ descriptor: assembled.config, bytes: assembled.configBytes });
    await put({ descriptor: assembled.descriptor, bytes: assembled.manifestBytes });
    const { descriptor } = assembled;
    images.push({ platform, image: await openImage(store, descriptor, { signal }) });
    manifests.push(annotated(descriptor, annotationsAt(annotations, 'manifest-descriptor', platform)));
    if (variant.provenance !== undefined) {
      const attestation = provenanceManifest(each, descriptor, variant.provenance);
      for (const document of [...attestation.blobs, attestation.manifest]) await put(document);
      statements.push(attestation.descriptor);
    }
  }
  if (manifests.length === 1 && !variant.index && statements.length === 0) return { descriptor: manifests[0]!, images };
  const placed = manifests.map((descriptor, i) => ({ ...descriptor, platform: images[i]!.platform }));
  const index = imageIndex([...placed, ...statements], { annotations: annotationsAt(annotations, 'index'), style });
  await put(index);
  return { descriptor: annotated(index.descriptor, annotationsAt(annotations, 'index-descriptor')), images };
}

function provenanceManifest(built: BuiltPlatform, image: Descriptor, options: VariantProvenance) {
  const urls = options.names.map(name => packageUrl('docker', parseReference(name), built.platform));
  // What has no name is called that (in-toto specification, "subject").
  const names = urls.length === 0 ? ['_'] : urls;
  const subjects = names.map(name => ({ name, digest: image.digest }));
  const statement = statementOf(provenance(built.record, options), subjects);
  return attestationManifest(image, [statement], options);
}

function annotated(descriptor: Descriptor, annotations: Descriptor['annotations']): Descriptor {
  return annotations === undefined ? descriptor : { ...descriptor, annotations };
}
