import type { Annotation } from '../build/annotations.js';
import { checkAnnotations } from '../build/annotations.js';
import { LadingError } from '../errors/errors.js';
import type { Compression } from '../oci/media-types.js';
import type { Platform } from '../oci/platform.js';
import { isImageType, type Output, type OutputImage } from './output.js';

/** What the one image of a build is to be like. */
export interface ImageSettings {
  readonly compression: Compression;
  readonly level: number | undefined;
  readonly style: 'oci' | 'docker';
  readonly annotations: readonly Annotation[];
}

export interface ImageSettingsOptions {
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  readonly annotations?: readonly Annotation[] | undefined;
  readonly outputs?: readonly Output[] | undefined;
}

/**
 * What a build's options and its outputs say of the image, taken together.
 * @throws LadingError USAGE when they contradict each other or cannot be had
 */
export function imageSettings(options: ImageSettingsOptions, platforms: readonly Platform[]): ImageSettings {
  const outputs = (options.outputs ?? []).filter(({ type }) => isImageType(type)).map(({ image }) => image ?? {});
  const agreed = <K extends keyof OutputImage>(key: K, own?: OutputImage[K]): OutputImage[K] => {
    const asked = outputs.map(output => output[key]);
    // What is said for the whole build holds for outputs that say nothing.
    const said = own === undefined ? asked : [own, ...asked.filter(value => value !== undefined)];
    if (new Set(said.map(value => JSON.stringify(value))).size > 1) {
      throw usage(
        `the outputs of a build hold one image, and differ in its ${words[key]}`,
        'Say the same of each output, or build again for another one; the cache makes that quick.',
      );
    }
    return said[0];
  };
  const compression = agreed('compression', options.compression) ?? 'gzip';
  const level = checkedLevel(agreed('level', options.level), compression);
  const style = agreed('mediaTypes') ?? 'oci';
  const annotations = [...(options.annotations ?? []), ...(agreed('annotations') ?? [])];
  checkAnnotations(annotations, platforms);
  if (style === 'docker' && annotations.length > 0) {
    throw usage("Docker's media types know no annotations", 'Leave out oci-mediatypes=false, or the annotations.');
  }
  return { compression, level, style, annotations };
}

const words: Readonly<Record<keyof OutputImage, string>> = {
  compression: 'compression',
  level: 'level of compression',
  mediaTypes: 'media types',
  annotations: 'annotations',
};

function checkedLevel(level: number | undefined, compression: Compression): number | undefined {
  if (level === undefined) return undefined;
  if (compression === 'none') throw usage('layers that are not compressed have no level', 'Leave it out.');
  const [least, most] = compression === 'zstd' ? [1, 22] : [0, 9];
  if (Number.isInteger(level) && level >= least && level <= most) return level;
  throw usage(`the compression level is a whole number from ${least} to ${most} for ${compression}`);
}

function usage(message: string, hint?: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', message, { details: { option: 'output' }, hint });
}
