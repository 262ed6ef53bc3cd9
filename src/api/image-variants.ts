import { type Annotation, checkAnnotations } from '../build/annotations.js';
import type { ImageVariant } from '../build/assemble.js';
import type { Timestamps } from '../build/copy/clamp.js';
import type { ProvenanceOptions } from '../build/provenance.js';
import { LadingError } from '../errors/errors.js';
import type { Compression } from '../oci/media-types.js';
import type { Platform } from '../oci/platform.js';
import { isImageType, isNamingType, type Output, type OutputImage } from './output.js';
import { parseBoolean } from './parse-boolean.js';

/** What a build says of its images, whatever its outputs say. */
export interface VariantOptions {
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  readonly forceCompression?: boolean | undefined;
  readonly annotations?: readonly Annotation[] | undefined;
  readonly provenance?: ProvenanceOptions | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
}

/** Whether the result is an index also for one platform. */
export function wantsIndex({ buildArgs = {} }: VariantOptions, platforms: readonly Platform[]): boolean {
  return platforms.length > 1 || (parseBoolean(buildArgs['BUILDKIT_MULTI_PLATFORM'] ?? '') ?? false);
}

/**
 * How the image is to be in an output; without one, in the store. What the output says goes before what the build says.
 * `names` are those that a statement about the image is to use.
 * @throws LadingError USAGE for what cannot be had together
 */
export function imageVariant(
  output: Output | undefined,
  names: readonly string[],
  options: VariantOptions,
  platforms: readonly Platform[],
): ImageVariant {
  const image = output?.image ?? {};
  const compression = image.compression ?? options.compression ?? 'gzip';
  const level = image.level ?? (image.compression === undefined ? options.level : undefined);
  checkLevel(level, compression);
  const style = image.mediaTypes ?? 'oci';
  const annotations = [...(options.annotations ?? []), ...(image.annotations ?? [])];
  const provenance = attached(output, options.provenance)
    ? { ...options.provenance, names, artifact: image.artifact ?? true }
    : undefined;
  if (style === 'docker' && (annotations.length > 0 || provenance !== undefined)) {
    const what = annotations.length > 0 ? 'annotations' : 'provenance';
    throw usage(`Docker's media types know no ${what}`, `Leave out oci-mediatypes=false, or the ${what}.`);
  }
  const index = wantsIndex(options, platforms);
  checkAnnotations(annotations, platforms, index || provenance !== undefined);
  const forceCompression = image.forceCompression ?? options.forceCompression ?? false;
  return { compression, level, forceCompression, style, annotations, index, ...(provenance ? { provenance } : {}) };
}

/** Two variants of one build are the same image when their keys are the same. */
export function variantKey(variant: ImageVariant): string {
  return JSON.stringify(variant);
}

/** Statements that are for images only stand in archives when they are asked for there. */
function attached(output: Output | undefined, provenance: ProvenanceOptions | undefined): boolean {
  if (provenance === undefined) return false;
  const inImage = output === undefined || isNamingType(output.type);
  return inImage || !provenance.inlineOnly || (output.image?.inlineAttestations ?? false);
}

/** The times that the files of a build have, which are the same in all of its outputs. */
export interface BuildTimes {
  readonly timestamps: Timestamps | undefined;
  readonly epoch: number | undefined;
}

/** @throws LadingError USAGE when the outputs contradict each other, or the build */
export function agreedTimes(
  options: { readonly timestamps?: Timestamps | undefined },
  outputs: readonly Output[],
): BuildTimes {
  const images = outputs.filter(({ type }) => isImageType(type)).map(({ image }) => image ?? {});
  const agreed = <K extends keyof OutputImage>(key: K, own?: OutputImage[K]): OutputImage[K] => {
    const asked = images.map(image => image[key]);
    // What is said for the whole build holds for outputs that say nothing.
    const said = own === undefined ? asked : [own, ...asked.filter(value => value !== undefined)];
    if (new Set(said).size > 1) {
      throw usage(
        'the outputs of a build have the same files, and differ in their times',
        'Say the same of each output, or build again for another one; the cache makes that quick.',
      );
    }
    return said[0];
  };
  return { timestamps: agreed('timestamps', options.timestamps), epoch: agreed('epoch') };
}

function checkLevel(level: number | undefined, compression: Compression): void {
  if (level === undefined) return;
  if (compression === 'none') throw usage('layers that are not compressed have no level', 'Leave it out.');
  const [least, most] = compression === 'zstd' ? [1, 22] : [0, 9];
  if (Number.isInteger(level) && level >= least && level <= most) return;
  throw usage(`the compression level is a whole number from ${least} to ${most} for ${compression}`);
}

function usage(message: string, hint?: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', message, { details: { option: 'output' }, hint });
}
