import type { Writable } from 'node:stream';
import type { Annotation } from '../build/annotations.js';
import { isLadingError, LadingError } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';
import type { Compression } from '../oci/media-types.js';
import type { Platform } from '../oci/platform.js';
import { csvFields } from '../plan/csv-fields.js';
import { annotation } from './parse-annotation.js';

/** Where the result of a build goes besides the store. */
export interface Output {
  /** `oci` and `docker`: the image, as an archive or (oci) a folder. `tar` and `local`: its files. */
  readonly type: 'oci' | 'docker' | 'tar' | 'local' | 'image' | 'registry';
  /** A path; `-` is the stream that the caller gives. */
  readonly dest?: string | undefined;
  /** `oci`: an archive (the default) or an OCI layout folder. */
  readonly tar?: boolean | undefined;
  /** Names for the image in this output, with commas between them, instead of the build's own. */
  readonly name?: string | undefined;
  /** `image`: also to its registry. */
  readonly push?: boolean | undefined;
  /** What the image itself is to be like. A build makes one image: outputs may not differ in this. */
  readonly image?: OutputImage | undefined;
  /** What `-` means. */
  readonly stream?: Writable | undefined;
}

export interface OutputImage {
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  /** Whose media types the image has. @default 'oci' */
  readonly mediaTypes?: 'oci' | 'docker' | undefined;
  readonly annotations?: readonly Annotation[] | undefined;
}

const types = ['oci', 'docker', 'tar', 'local', 'image', 'registry'] as const;
const imageKeys = ['compression', 'compression-level', 'oci-mediatypes'] as const;
const keysOf: Readonly<Record<Output['type'], readonly string[]>> = {
  oci: ['type', 'dest', 'tar', 'name', ...imageKeys],
  docker: ['type', 'dest', 'tar', 'name', ...imageKeys],
  image: ['type', 'name', 'push', ...imageKeys],
  registry: ['type', 'name', 'push', ...imageKeys],
  tar: ['type', 'dest'],
  local: ['type', 'dest'],
};

/** Attributes of other builders: the value that says what happens here anyway, and what to do about any other. */
const foreignKeys: Readonly<Record<string, { readonly anyway?: string; readonly instead: string }>> = {
  'attestation-inline': { instead: 'Attestations are not made: leave it out.' },
  'attestation-prefix': { instead: 'Attestations are not made: leave it out.' },
  context: { instead: 'No engine is spoken to: write dest=FILE, and docker load it.' },
  'dangling-name-prefix': { instead: 'An image without a name is in the store under its digest: leave it out.' },
  'force-compression': { anyway: 'false', instead: 'Layers of base images stay as they are: leave it out.' },
  mode: { anyway: 'copy', instead: 'Empty the folder before the build.' },
  'name-canonical': { anyway: 'false', instead: 'The digest is printed, and written with --iidfile.' },
  'oci-artifact': { anyway: 'false', instead: 'Attestations are not made: leave it out.' },
  'platform-split': { anyway: 'true', instead: 'Build one platform at a time.' },
  'prefer-nondist-layers': { anyway: 'false', instead: 'Leave it out.' },
  'push-by-digest': { anyway: 'false', instead: 'Push under a name.' },
  'registry.insecure': { anyway: 'false', instead: 'Use --insecure.' },
  'rewrite-timestamp': { anyway: 'true', instead: 'Use --timestamps keep.' },
  'source-date-epoch': { instead: 'Use --build-arg SOURCE_DATE_EPOCH=SECONDS.' },
  store: { anyway: 'true', instead: 'Every image goes into the store; take it out with lading rmi.' },
  unpack: { anyway: 'false', instead: 'Use type=local for the files.' },
};

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
  if (type === undefined) throw usage(`--output ${text}: the type is missing`, `Write type=${types.join('|')}.`);
  if (!isType(type))
    throw usage(`--output ${text}: unknown type ${JSON.stringify(type)}`, `Write type=${types.join('|')}.`);
  const annotations: Annotation[] = [];
  for (const [key, value] of values) {
    const found = isImageType(type) ? outputAnnotation(key, value, host) : undefined;
    if (found !== undefined) annotations.push(found);
    else if (!keysOf[type].includes(key)) refuseKey(text, type, key, value);
  }
  const dest = values.get('dest');
  const tar = flag(text, values, 'tar');
  if (type === 'docker' && tar === false)
    throw usage(`--output ${text}: a docker output is an archive`, 'Use type=oci.');
  if (type === 'registry' && flag(text, values, 'push') === false) {
    throw usage(`--output ${text}: a registry is pushed to`, 'Use type=image.');
  }
  if ((type === 'local' || tar === false) && (dest === undefined || dest === '-')) {
    throw usage(`--output ${text}: dest must be a folder`, 'Write dest=FOLDER.');
  }
  return {
    type,
    dest: dest ?? (type === 'image' || type === 'registry' ? undefined : '-'),
    tar,
    name: values.get('name'),
    push: type === 'registry' ? true : flag(text, values, 'push'),
    ...(isImageType(type) ? { image: outputImage(text, values, annotations) } : {}),
  };
}

/** Whether an output is of the image, and not of its files. */
export function isImageType(type: Output['type']): boolean {
  return type !== 'tar' && type !== 'local';
}

/** The names of an output, or else those of the build. */
export function outputNames(output: Output, names: readonly string[]): readonly string[] {
  return output.name?.split(',').map(name => name.trim()) ?? names;
}

function outputImage(
  text: string,
  values: ReadonlyMap<string, string>,
  annotations: readonly Annotation[],
): OutputImage {
  const mediaTypes = flag(text, values, 'oci-mediatypes');
  return {
    compression: compressionOf(text, values.get('compression')),
    level: levelOf(text, values.get('compression-level')),
    mediaTypes: mediaTypes === undefined ? undefined : mediaTypes ? 'oci' : 'docker',
    ...(annotations.length === 0 ? {} : { annotations }),
  };
}

function compressionOf(text: string, value: string | undefined): Compression | undefined {
  if (value === undefined || value === 'gzip' || value === 'zstd' || value === 'none') return value;
  if (value === 'uncompressed') return 'none';
  throw usage(`--output ${text}: compression=${value} is not supported`, 'Write compression=gzip|zstd|uncompressed.');
}

function levelOf(text: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,3}$/.test(value)) return Number(value);
  throw usage(`--output ${text}: compression-level is a number, not ${JSON.stringify(value)}`);
}

/** `annotation.KEY`, `annotation-index.KEY`, `annotation-manifest[linux/arm64].KEY` and the like. */
function outputAnnotation(key: string, value: string, host: Platform): Annotation | undefined {
  const match = /^annotation(?:-([a-z-]+))?(?:\[([A-Za-z0-9_./-]+)\])?\.(.+)$/s.exec(key);
  if (match === null) return undefined;
  return annotation({ place: match[1] ?? 'manifest', platform: match[2], key: match[3]!, value }, host);
}

function refuseKey(text: string, type: Output['type'], key: string, value: string): void {
  const foreign = Object.hasOwn(foreignKeys, key) ? foreignKeys[key] : undefined;
  if (foreign !== undefined && foreign.anyway === value) return;
  const problem = `--output ${text}: ${JSON.stringify(key)} is not supported`;
  if (foreign !== undefined) throw usage(problem, foreign.instead);
  const known = keysOf[type];
  const near = nearest(key, known);
  const hint = near === undefined ? `Known for type=${type}: ${known.join(', ')}.` : `Did you mean ${near}?`;
  throw usage(problem, hint);
}

function fieldsOf(text: string): string[] {
  try {
    return csvFields(text);
  } catch (error) {
    if (!isLadingError(error)) throw error;
    throw usage(`--output ${text}: it cannot be read`, 'Quote a whole field: type=image,"name=a,b".');
  }
}

/** Keys are in any case but for those of annotations. */
function keyAndValue(field: string): [key: string, value: string] {
  const equals = field.indexOf('=');
  const key = (equals < 0 ? field : field.slice(0, equals)).trim();
  return [/^annotation/i.test(key) ? key : key.toLowerCase(), equals < 0 ? 'true' : field.slice(equals + 1)];
}

function flag(text: string, values: ReadonlyMap<string, string>, key: string): boolean | undefined {
  const value = values.get(key);
  if (value === undefined || value === 'true' || value === 'false')
    return value === undefined ? undefined : value === 'true';
  throw usage(`--output ${text}: ${key} is true or false, not ${JSON.stringify(value)}`);
}

function isType(text: string): text is Output['type'] {
  return (types as readonly string[]).includes(text);
}

function usage(message: string, hint?: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', message, { details: { option: 'output' }, hint });
}
