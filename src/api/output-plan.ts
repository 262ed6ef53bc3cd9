import type { ImageVariant } from '../build/assemble.js';
import { LadingError } from '../errors/errors.js';
import type { Platform } from '../oci/platform.js';
import { formatReference, parseReference, type Reference } from '../oci/reference.js';
import { imageVariant, type VariantOptions, variantKey } from './image-variants.js';
import { isImageType, isNamingType, type Output, outputNames } from './output.js';

export interface OutputPlanOptions extends VariantOptions {
  readonly tags?: readonly string[] | undefined;
  readonly outputs?: readonly Output[] | undefined;
  readonly push?: boolean | undefined;
}

/** An entry in the store's list: a whole name, or `prefix@digest` with the digest of the variant; neither is no name. */
export interface StoredName {
  readonly variant: ImageVariant;
  readonly name?: string | undefined;
  readonly prefix?: string | undefined;
}

export interface PlannedPush {
  readonly variant: ImageVariant;
  /** Without a tag the image is pushed under its digest. */
  readonly reference: Reference;
  readonly insecure: boolean;
}

/** What becomes of the result of a build: which images are written down, under which names, and where they go. */
export interface OutputPlan {
  /** What the build itself is about: the first image that is asked for. */
  readonly primary: ImageVariant;
  readonly stored: readonly StoredName[];
  /** Outputs with something to write; those of images with the variant and the whole names that it has there. */
  readonly written: ReadonlyArray<{
    readonly output: Output;
    readonly variant?: ImageVariant | undefined;
    readonly names: readonly string[];
  }>;
  readonly pushes: readonly PlannedPush[];
}

/**
 * Plans the outputs of a build before anything is built.
 * @throws LadingError USAGE, UNSUPPORTED, INVALID_VALUE for a name
 */
export function planOutputs(options: OutputPlanOptions, platforms: readonly Platform[]): OutputPlan {
  const { outputs = [] } = options;
  const tags = (options.tags ?? []).map(taggedName);
  checkDestinations(outputs, platforms);
  const variantOf = (output: Output | undefined): ImageVariant =>
    imageVariant(output, output === undefined ? tags : wholeNames(output, tags), options, platforms);
  // The names of the build are those of what the store keeps, whatever the output is called that says how it is to be.
  const first = outputs.find(({ type }) => isImageType(type));
  const primary = tags.length === 0 ? variantOf(first) : imageVariant(first, tags, options, platforms);
  const naming = outputs
    .filter(({ type }) => isNamingType(type))
    .map(output => ({ output, variant: variantOf(output) }));
  const plan: OutputPlan = {
    primary,
    stored: storedNames(primary, tags, naming, outputs),
    written: outputs
      .filter(({ type }) => !isNamingType(type) && type !== 'cacheonly')
      .map(output => ({
        output,
        names: wholeNames(output, tags),
        ...(isImageType(output.type) ? { variant: variantOf(output) } : {}),
      })),
    pushes: plannedPushes(primary, naming, options),
  };
  checkNames(plan);
  return plan;
}

interface NamingOutput {
  readonly output: Output;
  readonly variant: ImageVariant;
}

/** Every build is remembered by the store, with or without a name, unless that is what nobody wants. */
function storedNames(
  primary: ImageVariant,
  tags: readonly string[],
  naming: readonly NamingOutput[],
  outputs: readonly Output[],
): StoredName[] {
  const listing = naming.filter(({ output }) => output.store !== false);
  const unwanted = naming.length > 0 || outputs.some(({ type }) => type === 'cacheonly');
  if (unwanted && listing.length === 0) return [];
  const stored: StoredName[] = tags.map(name => ({ variant: primary, name }));
  for (const { output, variant } of listing) {
    // What is pushed by digest has repositories for names, and those name nothing here.
    const names = output.pushByDigest ? [] : wholeNames(output, tags);
    stored.push(...names.map(name => ({ variant, name })));
    const repositories = outputNames(output, tags).map(repositoryOf);
    if (output.canonicalNames) stored.push(...repositories.map(prefix => ({ variant, prefix })));
    const { danglingName } = output;
    if (danglingName !== undefined && !(danglingName.fallback && names.length > 0)) {
      stored.push({ variant, prefix: repositoryOf(danglingName.prefix) });
    }
    if (names.length === 0) stored.push({ variant });
  }
  if (stored.length === 0) stored.push({ variant: primary });
  return stored;
}

/** `push` is for every name: those of the build, unless an output takes them over and says how, and those of outputs. */
function plannedPushes(
  primary: ImageVariant,
  naming: readonly NamingOutput[],
  options: OutputPlanOptions,
): PlannedPush[] {
  const { tags = [], push = false } = options;
  const pushed = naming.filter(({ output }) => push || output.push);
  const takenOver = naming.some(({ output }) => output.name === undefined);
  const own = push && !takenOver ? tags.map(parseReference).map(reference => ({ variant: primary, reference })) : [];
  if (
    pushed.some(({ output }) => outputNames(output, tags).length === 0) ||
    (push && own.length + pushed.length === 0)
  ) {
    throw usage('there is nothing to push to: the image has no name', 'Give it one with -t REGISTRY/REPOSITORY:TAG.');
  }
  const others = pushed.flatMap(({ output, variant }) =>
    outputNames(output, tags).map(name => ({
      variant,
      reference: output.pushByDigest ? repository(name) : parseReference(name),
      insecure: output.insecure,
    })),
  );
  const unique = new Map<string, PlannedPush>();
  for (const each of [...own.map(one => ({ ...one, insecure: undefined })), ...others]) {
    const key = `${variantKey(each.variant)} ${formatReference(each.reference)}`;
    unique.set(key, { ...each, insecure: each.insecure ?? unique.get(key)?.insecure ?? false });
  }
  return [...unique.values()];
}

/** A repository without a tag, as the name of what has only a digest. */
function repository(name: string): Reference {
  const { tag: _, ...reference } = parseReference(name);
  if (!hasTag(name)) return reference;
  throw usage(`${name} cannot be pushed by digest: it has a tag`, 'Leave the tag out.');
}

function repositoryOf(name: string): string {
  const { registry, repository } = parseReference(name);
  return `${registry}/${repository}`;
}

function hasTag(name: string): boolean {
  return /[:@][^/]*$/.test(name);
}

function wholeNames(output: Output, tags: readonly string[]): string[] {
  return outputNames(output, tags).map(taggedName);
}

export function taggedName(text: string): string {
  const reference = parseReference(text);
  if (reference.digest === undefined) return formatReference(reference);
  throw usage(`an image cannot be named by a digest: ${text}`);
}

/** Two images cannot have one name in one place. */
function checkNames({ stored, pushes }: OutputPlan): void {
  const inStore = stored.flatMap(({ variant, name }) => (name === undefined ? [] : [{ variant, name }]));
  const inRegistry = pushes
    .filter(({ reference }) => reference.tag !== undefined)
    .map(({ variant, reference }) => ({ variant, name: formatReference(reference) }));
  for (const place of [inStore, inRegistry]) {
    const known = new Map<string, string>();
    for (const { variant, name } of place) {
      const key = variantKey(variant);
      if ((known.get(name) ?? key) !== key) {
        throw usage(`two outputs give the name ${name} to different images`, 'Give each its own name=.');
      }
      known.set(name, key);
    }
  }
}

function checkDestinations(outputs: readonly Output[], platforms: readonly Platform[]): void {
  const places = new Set<string>();
  for (const { type, dest } of outputs) {
    if (type === 'docker' && platforms.length > 1) {
      throw new LadingError('UNSUPPORTED', 'a docker archive holds one platform', {
        details: { feature: 'type=docker with several platforms' },
        hint: 'Use type=oci, or build one platform at a time.',
      });
    }
    if (dest !== undefined && places.has(dest)) {
      const place = dest === '-' ? 'standard output' : dest;
      throw usage(`two outputs are to go to ${place}`, 'Give each its own dest=.');
    }
    if (dest !== undefined) places.add(dest);
  }
}

function usage(message: string, hint?: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', message, { details: { option: 'output' }, hint });
}
