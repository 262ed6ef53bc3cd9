/**
 * Other places where images live: registries, image layouts and archives, each as content that the one mover can copy
 * from and to. `location.ts` reads what people write, `open.ts` opens it, the folders do the work. Nothing here knows a
 * Dockerfile or a build.
 */
import { LadingError } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';
import { type Digest, isDigest } from '../oci/digest.js';
import { familiarName, formatReference, parseReference, type Reference } from '../oci/reference.js';

/** Where an image is. */
export type Location =
  | { readonly transport: 'registry'; readonly reference: Reference }
  /** In the local store, under the whole name, or by digest. */
  | { readonly transport: 'store'; readonly name: string }
  /**
   * In a folder or file. `name` is a tag, in a Docker archive a reference, or a digest; it may be left out where there
   * is one image only.
   */
  | {
      readonly transport: 'oci-layout' | 'oci-archive' | 'docker-archive';
      readonly path: string;
      readonly name?: string | undefined;
    };

export interface ParseLocationOptions {
  /** What a name without a transport means. Default `registry`. */
  readonly bare?: 'registry' | 'store' | undefined;
}

const transports = ['docker', 'store', 'oci', 'oci-archive', 'docker-archive'] as const;
/** What other tools know. `dir` is no such word alone: it is a good name for an image. */
const foreign = ['containers-storage', 'docker-daemon', 'ostree', 'sif', 'tarball', 'atomic', 'containerd'];

/**
 * Reads `docker://NAME`, `store:NAME`, `oci:FOLDER[:NAME]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:NAME]` or
 * a plain name. Paths end at the first colon; behind it everything is the name.
 * @throws LadingError INVALID_VALUE; UNSUPPORTED for transports of other tools
 */
export function parseLocation(text: string, options: ParseLocationOptions = {}): Location {
  const colon = text.indexOf(':');
  const word = colon < 0 ? '' : text.slice(0, colon);
  const rest = text.slice(colon + 1);
  switch (word) {
    case 'docker':
      // Without the slashes it is an image that somebody called "docker".
      if (rest.startsWith('//')) return { transport: 'registry', reference: parseReference(rest.slice(2)) };
      break;
    case 'store':
      return { transport: 'store', name: storeName(rest) };
    case 'oci':
    case 'oci-archive':
    case 'docker-archive': {
      const { path, name } = splitPath(rest, text, word);
      if (word === 'docker-archive' && name !== undefined && !isDigest(name)) parseReference(name);
      return { transport: word === 'oci' ? 'oci-layout' : word, path, ...(name === undefined ? {} : { name }) };
    }
    case 'http':
    case 'https':
      if (rest.startsWith('//')) {
        throw invalid(text, 'it is a web address', `Leave out "${word}://"; plain HTTP is allowed with --insecure.`);
      }
      break;
    default:
      if (foreign.includes(word) || (word === 'dir' && /^[/.]/.test(rest)) || rest.startsWith('//')) {
        throw unsupported(word, text);
      }
  }
  return options.bare === 'store'
    ? { transport: 'store', name: storeName(text) }
    : { transport: 'registry', reference: parseReference(text) };
}

/** The text that `parseLocation` reads back, whatever a name without a transport means there. */
export function formatLocation(location: Location): string {
  switch (location.transport) {
    case 'registry':
      return `docker://${familiarName(location.reference)}`;
    case 'store':
      return `store:${location.name}`;
    default: {
      const word = location.transport === 'oci-layout' ? 'oci' : location.transport;
      return `${word}:${location.path}${location.name === undefined ? '' : `:${location.name}`}`;
    }
  }
}

function storeName(text: string): string | Digest {
  return isDigest(text) ? text : formatReference(parseReference(text));
}

function splitPath(rest: string, text: string, word: string): { readonly path: string; readonly name?: string } {
  // A drive letter has the only colon that is part of a path.
  const start = /^[A-Za-z]:[\\/]/.test(rest) ? 2 : 0;
  const colon = rest.indexOf(':', start);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const name = colon < 0 ? undefined : rest.slice(colon + 1);
  const form = `Write ${word}:PATH or ${word}:PATH:NAME.`;
  if (path === '' || path.includes('\0')) throw invalid(text, 'the path is missing', form);
  if (name === '') throw invalid(text, 'the name behind the colon is missing', form);
  if (name !== undefined && !/^[\x21-\x7e]{1,512}$/.test(name))
    throw invalid(text, 'the name has odd characters', form);
  return name === undefined ? { path } : { path, name };
}

function invalid(text: string, problem: string, hint: string): LadingError<'INVALID_VALUE'> {
  return new LadingError(
    'INVALID_VALUE',
    `not a place of an image: ${JSON.stringify(text.slice(0, 300))}: ${problem}`,
    {
      details: { what: 'location', value: text.slice(0, 300) },
      hint,
    },
  );
}

function unsupported(word: string, text: string): LadingError<'UNSUPPORTED'> {
  const near = nearest(word, transports);
  const known = 'docker://NAME, store:NAME, oci:FOLDER, oci-archive:FILE and docker-archive:FILE';
  const hint =
    word === 'docker-daemon'
      ? 'Save the image with "docker save -o FILE" and use docker-archive:FILE.'
      : word === 'containers-storage'
        ? 'Save the image with "podman save --format oci-archive -o FILE" and use oci-archive:FILE.'
        : `${near === undefined ? '' : `Did you mean ${near}? `}Supported are ${known}.`;
  return new LadingError(
    'UNSUPPORTED',
    `there is no transport ${JSON.stringify(word)}: ${JSON.stringify(text.slice(0, 300))}`,
    {
      details: { feature: `transport ${word.slice(0, 100)}` },
      hint,
    },
  );
}
