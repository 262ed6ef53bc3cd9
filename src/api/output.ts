import type { Writable } from 'node:stream';
import type { Annotation } from '../build/annotations.js';
import type { Timestamps } from '../build/copy/clamp.js';
import { isLadingError } from '../errors/errors.js';
import type { Compression } from '../oci/media-types.js';
import type { Platform } from '../oci/platform.js';
import { csvFields } from '../plan/csv-fields.js';
import { isOutputType, type OutputType, outputError, outputTypes, readAttribute } from './output-attributes.js';
import { parseBoolean } from './parse-boolean.js';

/** Where the result of a build goes besides the store. */
export interface Output {
  /**
   * `oci` and `docker`: the image, as an archive or a layout in a folder. `tar` and `local`: its files. `image` and
   * `registry`: names in the store, and pushes. `cacheonly`: nothing, not even an entry in the store's list.
   */
  readonly type: OutputType;
  /** A path; `-` is the stream that the caller gives. */
  readonly dest?: string | undefined;
  /** `oci` and `docker`: an archive (the default) or an OCI layout folder. */
  readonly tar?: boolean | undefined;
  /** Names for the image in this output, with commas between them, instead of the build's own. */
  readonly name?: string | undefined;
  /** `image`: also to its registry. */
  readonly push?: boolean | undefined;
  /** Push without a tag: the digest is the name. */
  readonly pushByDigest?: boolean | undefined;
  /** Plain HTTP and unverified certificates are accepted for this push. */
  readonly insecure?: boolean | undefined;
  /** `image`: `false` keeps it out of the store's list. @default true */
  readonly store?: boolean | undefined;
  /** `image`: each name also with the digest, `NAME@sha256:…`, in the store. */
  readonly canonicalNames?: boolean | undefined;
  /** `image`: a name in the store that is made of this and the digest; only for lack of another with `fallback`. */
  readonly danglingName?: { readonly prefix: string; readonly fallback: boolean } | undefined;
  /** What the image itself is to be like. */
  readonly image?: OutputImage | undefined;
  /** How its files are written. */
  readonly files?: OutputFiles | undefined;
  /** What `-` means. */
  readonly stream?: Writable | undefined;
}

/** Of `image`, `registry`, `oci` and `docker`. Where it says nothing, what is said for the whole build holds. */
export interface OutputImage {
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  /** Compress the layers of the base image like the others. */
  readonly forceCompression?: boolean | undefined;
  /** Whose media types the image has. @default 'oci' */
  readonly mediaTypes?: 'oci' | 'docker' | undefined;
  readonly annotations?: readonly Annotation[] | undefined;
  /** All images of a build must agree on this and the next one. */
  readonly timestamps?: Timestamps | undefined;
  /** Instead of SOURCE_DATE_EPOCH. */
  readonly epoch?: number | undefined;
  /** The form in which provenance is kept: an artifact, or in the dress of an image. @default true */
  readonly artifact?: boolean | undefined;
  /** `oci` and `docker`: provenance that is for images only, too. */
  readonly inlineAttestations?: boolean | undefined;
}

/** Of `tar` and `local`. */
export interface OutputFiles {
  /** Each platform in a folder of its own, such as `linux_arm64`. By default where there are several. */
  readonly platformSplit?: boolean | undefined;
  /** `local`: `delete` takes away what is in the folder and not in the image. @default 'copy' */
  readonly mode?: 'copy' | 'delete' | undefined;
  /** Before the names of the files that hold statements. */
  readonly attestationPrefix?: string | undefined;
  /** The time of every file, in seconds since 1970. */
  readonly epoch?: number | undefined;
}

/**
 * Parses `-o`: `type=oci,dest=image.tar`, or a bare path, which is `type=local`, or `-`, which is `type=tar` to standard
 * output. Values with a comma are quoted as in CSV. `host` is what the platform `local` means in annotations.
 * @throws LadingError USAGE
 */
export function parseOutput(text: string, host: Platform = { os: 'linux', architecture: 'amd64' }): Output {
  if (text === '-') return { type: 'tar', dest: '-' };
  const fields = fieldsOf(text);
  if (fields.length === 1 && !/^[a-z-]+=/.test(fields[0]!)) return { type: 'local', dest: text };
  const values = new Map(fields.map(keyAndValue));
  const type = values.get('type');
  const hint = `Write type=${outputTypes.join('|')}.`;
  if (type === undefined) throw outputError(text, 'the type is missing', hint);
  if (!isOutputType(type)) throw outputError(text, `unknown type ${JSON.stringify(type)}`, hint);
  values.delete('type');
  let output: Output = { type };
  for (const [key, value] of values) output = readAttribute(output, key, value, { text, host });
  return checked(type === 'registry' ? { ...output, push: true } : output, values, text);
}

function checked(output: Output, values: ReadonlyMap<string, string>, text: string): Output {
  const { type, dest, tar } = output;
  if (type === 'registry' && parseBoolean(values.get('push') ?? 'true') === false) {
    throw outputError(text, 'a registry is pushed to', 'Use type=image.');
  }
  if ((type === 'local' || tar === false) && (dest === undefined || dest === '-')) {
    throw outputError(text, 'dest must be a folder', 'Write dest=FOLDER.');
  }
  if (output.danglingName?.prefix === '') {
    throw outputError(text, 'danging-name-empty-only is nothing without dangling-name-prefix');
  }
  const writes = isArchiveType(type) || type === 'tar';
  return writes && dest === undefined ? { ...output, dest: '-' } : output;
}

/** Whether an output is of the image, and not of its files. */
export function isImageType(type: Output['type']): boolean {
  return isArchiveType(type) || isNamingType(type);
}

/** Whether an output names the image in the store or a registry. */
export function isNamingType(type: Output['type']): boolean {
  return type === 'image' || type === 'registry';
}

function isArchiveType(type: Output['type']): boolean {
  return type === 'oci' || type === 'docker';
}

/** The names of an output, or else those of the build. */
export function outputNames(output: Output, names: readonly string[]): readonly string[] {
  return output.name?.split(',').map(name => name.trim()) ?? names;
}

function fieldsOf(text: string): string[] {
  try {
    return csvFields(text);
  } catch (error) {
    if (!isLadingError(error)) throw error;
    throw outputError(text, 'it cannot be read', 'Quote a whole field: type=image,"name=a,b".');
  }
}

/** Keys are in any case but for those of annotations. */
function keyAndValue(field: string): [key: string, value: string] {
  const equals = field.indexOf('=');
  const key = (equals < 0 ? field : field.slice(0, equals)).trim();
  return [/^annotation/i.test(key) ? key : key.toLowerCase(), equals < 0 ? 'true' : field.slice(equals + 1)];
}
