import { type Annotation, type AnnotationPlace, annotationPlaces } from '../build/annotations.js';
import { LadingError } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';
import { type Platform, parsePlatform } from '../oci/platform.js';

/**
 * Parses `[PLACE[PLATFORM],…:]KEY=VALUE`: without a place it is the manifest, with several there is one annotation for each.
 * `host` is what the platform `local` means.
 * @throws LadingError USAGE, INVALID_VALUE for the platform
 */
export function parseAnnotation(text: string, host: Platform): Annotation[] {
  const equals = text.indexOf('=');
  if (equals < 0) throw invalid(`annotation ${JSON.stringify(text)}: there is no value`, 'Write KEY=VALUE.');
  const value = text.slice(equals + 1);
  const colon = text.slice(0, equals).indexOf(':');
  const places = colon < 0 ? ['manifest'] : text.slice(0, colon).split(',');
  const key = text.slice(colon + 1, equals);
  return places.map(place => {
    const match = /^([a-z-]+)(?:\[([A-Za-z0-9_./-]+)\])?$/.exec(place.trim());
    if (match === null) throw invalid(`annotation ${JSON.stringify(text)}: bad type ${JSON.stringify(place)}`, form);
    return annotation({ place: match[1]!, platform: match[2], key, value }, host);
  });
}

/** @throws LadingError USAGE, INVALID_VALUE for the platform */
export function annotation(
  parts: {
    readonly place: string;
    readonly platform: string | undefined;
    readonly key: string;
    readonly value: string;
  },
  host: Platform,
): Annotation {
  const { place, platform, key, value } = parts;
  if (!isPlace(place)) {
    const near = nearest(place, annotationPlaces);
    const hint = near === undefined ? form : `Did you mean ${near}?`;
    throw invalid(`annotation ${key}: unknown type ${JSON.stringify(place)}`, hint);
  }
  if (key === '' || /\s/.test(key))
    throw invalid(`annotation ${JSON.stringify(key)}: that is no key`, 'Write KEY=VALUE.');
  return { place, key, value, ...(platform === undefined ? {} : { platform: parsePlatform(platform, host) }) };
}

const form = `Write [TYPE[PLATFORM]:]KEY=VALUE; types are ${annotationPlaces.join(', ')}.`;

function isPlace(text: string): text is AnnotationPlace {
  return (annotationPlaces as readonly string[]).includes(text);
}

function invalid(message: string, hint: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', message, { details: { option: 'annotation' }, hint });
}
