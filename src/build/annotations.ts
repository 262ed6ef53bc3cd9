import { LadingError } from '../errors/errors.js';
import { formatPlatform, type Platform } from '../oci/platform.js';

/** Where annotations go: into a document, or onto the descriptor that points to it. */
export const annotationPlaces = ['manifest', 'manifest-descriptor', 'index', 'index-descriptor'] as const;
export type AnnotationPlace = (typeof annotationPlaces)[number];

/** One annotation of what a build makes. */
export interface Annotation {
  readonly place: AnnotationPlace;
  /** Only the image for this platform; without it all of them. */
  readonly platform?: Platform | undefined;
  readonly key: string;
  readonly value: string;
}

/** The annotations for one place, of one platform where it has one. What is said of a platform wins, then what is said last. */
export function annotationsAt(
  annotations: readonly Annotation[],
  place: AnnotationPlace,
  platform?: Platform,
): Readonly<Record<string, string>> | undefined {
  const here = annotations.filter(annotation => annotation.place === place);
  const general = here.filter(annotation => annotation.platform === undefined);
  const special = here.filter(annotation => platform !== undefined && samePlatform(annotation.platform, platform));
  const entries = [...general, ...special].map(({ key, value }) => [key, value] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/**
 * Refuses annotations that there is no place for. `index` is whether there is one.
 * @throws LadingError USAGE
 */
export function checkAnnotations(
  annotations: readonly Annotation[],
  platforms: readonly Platform[],
  index: boolean,
): void {
  for (const { place, platform } of annotations) {
    if (place.startsWith('index') && !index) {
      const what = place === 'index' ? 'index annotations' : 'index descriptor annotations';
      throw misplaced(
        `${what} are not supported for a single platform: there is no index`,
        'Annotate the manifest, or build for several platforms.',
      );
    }
    if (platform !== undefined && !platforms.some(built => samePlatform(platform, built))) {
      throw misplaced(
        `there is an annotation for ${formatPlatform(platform)}, which is not built`,
        `Built are ${platforms.map(formatPlatform).join(', ')}.`,
      );
    }
  }
}

function samePlatform(a: Platform | undefined, b: Platform): boolean {
  return a !== undefined && formatPlatform(a) === formatPlatform(b);
}

function misplaced(message: string, hint: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', message, { details: { option: 'annotation' }, hint });
}
