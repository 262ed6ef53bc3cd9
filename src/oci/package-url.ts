import { formatPlatform, normalizePlatform, type Platform } from './platform.js';
import { familiarName, type Reference } from './reference.js';

/**
 * The package URL of an image, as BuildKit writes it: `pkg:docker/ghcr.io/me/app@1.0?platform=linux%2Famd64`. `oci` is for
 * images that no registry has.
 */
export function packageUrl(type: 'docker' | 'oci', reference: Reference, platform?: Platform): string {
  const { tag, digest, ...name } = reference;
  const path = familiarName(name).split('/').map(escaped).join('/');
  const qualifiers = [
    ...(digest === undefined ? [] : [`digest=${encodeURIComponent(digest)}`]),
    ...(platform === undefined ? [] : [`platform=${encodeURIComponent(formatPlatform(normalizePlatform(platform)))}`]),
  ];
  const version = tag === undefined ? '' : `@${escaped(tag)}`;
  return `pkg:${type}/${path}${version}${qualifiers.length === 0 ? '' : `?${qualifiers.join('&')}`}`;
}

/** The colon of a port is kept. */
function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}
