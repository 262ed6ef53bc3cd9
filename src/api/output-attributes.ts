import { defaultEpoch } from '../build/build.js';
import { LadingError } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';
import type { Platform } from '../oci/platform.js';
import type { Output, OutputFiles, OutputImage } from './output.js';
import { annotation } from './parse-annotation.js';
import { parseBoolean } from './parse-boolean.js';

export const outputTypes = ['oci', 'docker', 'tar', 'local', 'image', 'registry', 'cacheonly'] as const;
export type OutputType = (typeof outputTypes)[number];

export function isOutputType(text: string): text is OutputType {
  return (outputTypes as readonly string[]).includes(text);
}

export interface AttributeContext {
  /** The whole output as it was written, for messages. */
  readonly text: string;
  /** What the platform `local` means. */
  readonly host: Platform;
}

/** One attribute of `-o`, by the name that BuildKit has for it. */
interface Attribute {
  /** Which types have it. */
  readonly of: readonly OutputType[];
  /** What its value says; `undefined` for a value that it cannot have. */
  readonly read: (value: string, output: Output) => Partial<Output> | undefined;
  /** The values that it can have, or what to do about those that are not supported. */
  readonly hint: string;
}

const archives = ['oci', 'docker'] as const;
const naming = ['image', 'registry'] as const;
const images = [...archives, ...naming] as const;
const files = ['tar', 'local'] as const;

const trueOrFalse = 'It is true or false.';
const seconds = 'Write whole seconds since 1970.';

const attributes: Readonly<Record<string, Attribute>> = {
  dest: { of: [...archives, ...files], read: dest => ({ dest }), hint: 'Write dest=PATH.' },
  tar: flag(archives, tar => ({ tar })),
  name: { of: images, read: name => ({ name }), hint: 'Write name=NAME.' },
  push: flag(naming, push => ({ push })),
  'push-by-digest': flag(naming, pushByDigest => ({ pushByDigest })),
  'registry.insecure': flag(naming, insecure => ({ insecure })),
  store: flag(naming, store => ({ store })),
  'name-canonical': flag(naming, canonicalNames => ({ canonicalNames })),
  'dangling-name-prefix': {
    of: naming,
    read: (prefix, { danglingName }) => ({ danglingName: { prefix, fallback: danglingName?.fallback ?? false } }),
    hint: 'Write dangling-name-prefix=REPOSITORY.',
  },
  // Spelled like this everywhere.
  'danging-name-empty-only': flag(naming, (fallback, { danglingName }) => ({
    danglingName: { prefix: danglingName?.prefix ?? '', fallback },
  })),
  unpack: {
    of: naming,
    read: value => (booleanOf(value) === false ? {} : undefined),
    hint: 'There is nothing to unpack images into: use type=local for the files.',
  },
  compression: {
    of: images,
    read: (value, output) => {
      if (value === 'gzip' || value === 'zstd' || value === 'none') return ofImage(output, { compression: value });
      return value === 'uncompressed' ? ofImage(output, { compression: 'none' }) : undefined;
    },
    hint: 'Write compression=gzip|zstd|uncompressed; estargz is not made yet.',
  },
  'compression-level': {
    of: images,
    read: (value, output) => (/^\d{1,3}$/.test(value) ? ofImage(output, { level: Number(value) }) : undefined),
    hint: 'It is a number: 0 to 9 for gzip, 1 to 22 for zstd.',
  },
  'force-compression': flag(images, (forceCompression, output) => ofImage(output, { forceCompression })),
  'oci-mediatypes': flag(images, (oci, output) => ofImage(output, { mediaTypes: oci ? 'oci' : 'docker' })),
  'oci-artifact': flag(images, (artifact, output) => ofImage(output, { artifact })),
  'attestation-inline': flag(images, (inlineAttestations, output) => ofImage(output, { inlineAttestations })),
  'rewrite-timestamp': flag(images, (clamp, output) => ofImage(output, { timestamps: clamp ? 'clamp' : 'keep' })),
  'source-date-epoch': {
    of: [...images, ...files],
    read: (value, output) => {
      const epoch = value === '' ? undefined : epochOf(value);
      if (value !== '' && epoch === undefined) return undefined;
      // Nothing is what would be without any SOURCE_DATE_EPOCH: for images its default, for files their own times.
      if (output.type === 'tar' || output.type === 'local') return ofFiles(output, { epoch });
      return ofImage(output, { epoch: epoch ?? defaultEpoch });
    },
    hint: seconds,
  },
  'prefer-nondist-layers': {
    of: images,
    read: value => (booleanOf(value) === false ? {} : undefined),
    hint: 'Layers that may not be passed on keep their type in any case: leave it out.',
  },
  'platform-split': flag(files, (platformSplit, output) => ofFiles(output, { platformSplit })),
  mode: {
    of: ['local'],
    read: (mode, output) => (mode === 'copy' || mode === 'delete' ? ofFiles(output, { mode }) : undefined),
    hint: 'Write mode=copy|delete.',
  },
  'attestation-prefix': {
    of: files,
    read: (prefix, output) => (/[/\0]/.test(prefix) ? undefined : ofFiles(output, { attestationPrefix: prefix })),
    hint: 'It is the beginning of the name of a file, without a slash.',
  },
  context: {
    of: archives,
    read: () => undefined,
    hint: 'No engine is spoken to: write dest=FILE, and docker load it.',
  },
};

/**
 * The output with one more attribute.
 * @throws LadingError USAGE for one that the type does not have, or that cannot have the value
 */
export function readAttribute(output: Output, key: string, value: string, context: AttributeContext): Output {
  const { type } = output;
  const { text, host } = context;
  const annotated = images.some(other => other === type) ? annotationOf(key, value, host) : undefined;
  if (annotated !== undefined) {
    return { ...output, ...ofImage(output, { annotations: [...(output.image?.annotations ?? []), annotated] }) };
  }
  const attribute = Object.hasOwn(attributes, key) ? attributes[key]! : undefined;
  if (attribute === undefined || !attribute.of.includes(type)) throw unknown(text, type, key);
  const change = attribute.read(value, output);
  if (change !== undefined) return { ...output, ...change };
  throw outputError(text, `${key} cannot be ${JSON.stringify(value)}`, attribute.hint);
}

export function outputError(text: string, problem: string, hint?: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', `--output ${text}: ${problem}`, { details: { option: 'output' }, hint });
}

function unknown(text: string, type: OutputType, key: string): LadingError<'USAGE'> {
  const known = Object.keys(attributes).filter(name => attributes[name]!.of.includes(type));
  const near = nearest(key, known);
  const all = known.length === 0 ? `type=${type} stands alone.` : `Known for type=${type}: ${known.join(', ')}.`;
  return outputError(
    text,
    `type=${type} has no ${JSON.stringify(key)}`,
    near === undefined ? all : `Did you mean ${near}?`,
  );
}

function flag(of: Attribute['of'], change: (value: boolean, output: Output) => Partial<Output>): Attribute {
  return {
    of,
    read: (text, output) => {
      const value = booleanOf(text);
      return value === undefined ? undefined : change(value, output);
    },
    hint: trueOrFalse,
  };
}

/** Nothing at all is true. */
function booleanOf(text: string): boolean | undefined {
  return text === '' ? true : parseBoolean(text);
}

/** Up to the year 9999, the last one that RFC 3339 can say. */
function epochOf(text: string): number | undefined {
  const value = /^-?\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  return value >= -62_135_596_800 && value <= 253_402_300_799 ? value : undefined;
}

function ofImage(output: Output, image: OutputImage): Partial<Output> {
  return { image: { ...output.image, ...image } };
}

function ofFiles(output: Output, change: OutputFiles): Partial<Output> {
  return { files: { ...output.files, ...change } };
}

/** `annotation.KEY`, `annotation-index.KEY`, `annotation-manifest[linux/arm64].KEY` and the like. */
function annotationOf(key: string, value: string, host: Platform) {
  const match = /^annotation(?:-([a-z-]+))?(?:\[([A-Za-z0-9_./-]+)\])?\.(.+)$/s.exec(key);
  if (match === null) return undefined;
  return annotation({ place: match[1] ?? 'manifest', platform: match[2], key: match[3]!, value }, host);
}
