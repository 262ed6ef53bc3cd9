import { describe, expect, it } from 'vitest';
import { agreedTimes, imageVariant, variantKey } from '../../src/api/image-variants.js';
import { parseOutput } from '../../src/api/output.js';
import { type OutputPlanOptions, planOutputs } from '../../src/api/output-plan.js';
import { isLadingError } from '../../src/errors/errors.js';
import { formatReference } from '../../src/oci/reference.js';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };
const outputs = (...texts: string[]) => texts.map(text => parseOutput(text));

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return isLadingError(error) ? error.code : String(error);
  }
  return undefined;
}

/** The plan with letters for its variants, in the order in which they are met: `a` is the primary one. */
function planned(options: OutputPlanOptions, platforms = [amd64]) {
  const plan = planOutputs(options, platforms);
  const letters = new Map([[variantKey(plan.primary), 'a']]);
  const letter = (variant: typeof plan.primary): string => {
    const key = variantKey(variant);
    if (!letters.has(key)) letters.set(key, 'abcdef'[letters.size]!);
    return letters.get(key)!;
  };
  return {
    stored: plan.stored.map(
      ({ variant, name, prefix }) => `${letter(variant)} ${name ?? (prefix ? `${prefix}@` : '-')}`,
    ),
    written: plan.written.map(({ output, variant, names }) =>
      [output.type, variant && letter(variant), ...names].join(' '),
    ),
    pushes: plan.pushes.map(
      ({ variant, reference, insecure }) =>
        `${letter(variant)} ${formatReference(reference)}${insecure ? ' insecure' : ''}`,
    ),
  };
}

describe('planOutputs', () => {
  it.each<[string, OutputPlanOptions, Partial<ReturnType<typeof planned>>]>([
    ['nothing asked', {}, { stored: ['a -'], written: [], pushes: [] }],
    [
      'names',
      { tags: ['x', 'y:2'] },
      { stored: ['a docker.io/library/x:latest', 'a docker.io/library/y:2'], pushes: [] },
    ],
    ['--push', { tags: ['x'], push: true }, { pushes: ['a docker.io/library/x:latest'] }],
    [
      'files beside the image',
      { tags: ['x'], outputs: outputs('out', 'type=tar') },
      {
        stored: ['a docker.io/library/x:latest'],
        written: ['local  docker.io/library/x:latest', 'tar  docker.io/library/x:latest'],
      },
    ],
    [
      'outputs that differ',
      { tags: ['x'], outputs: outputs('type=oci,dest=a', 'type=oci,dest=b,compression=none', 'type=docker,dest=c') },
      {
        stored: ['a docker.io/library/x:latest'],
        written: [
          'oci a docker.io/library/x:latest',
          'oci b docker.io/library/x:latest',
          'docker a docker.io/library/x:latest',
        ],
      },
    ],
    [
      'the first image is what the store keeps',
      { outputs: outputs('out', 'type=oci,dest=a,compression=none', 'type=oci,dest=b') },
      { stored: ['a -'], written: ['local ', 'oci a', 'oci b'] },
    ],
    [
      'one for the store, another for the registry',
      { tags: ['h.io/x'], outputs: outputs('type=image', 'type=registry,compression=none,store=false') },
      { stored: ['a h.io/x:latest', 'a h.io/x:latest'], pushes: ['b h.io/x:latest'] },
    ],
    [
      'a name of its own',
      { tags: ['x'], outputs: outputs('type=image,name=y') },
      { stored: ['a docker.io/library/x:latest', 'a docker.io/library/y:latest'] },
    ],
    [
      '--push with a name of its own',
      { tags: ['h.io/x'], push: true, outputs: outputs('type=image,name=h.io/y') },
      { pushes: ['a h.io/x:latest', 'a h.io/y:latest'] },
    ],
    [
      '--push, and an output that says how',
      { tags: ['h.io/x'], push: true, outputs: outputs('type=image,registry.insecure=true,compression=none') },
      { pushes: ['a h.io/x:latest insecure'] },
    ],
    [
      'by digest',
      { outputs: outputs('type=image,name=h.io/x,push=true,push-by-digest=true,name-canonical=true') },
      { stored: ['a h.io/x@', 'a -'], pushes: ['a h.io/x'] },
    ],
    [
      'by digest, with the name as a tag',
      { tags: ['h.io/x'], outputs: outputs('type=registry,push-by-digest=true') },
      { stored: ['a h.io/x:latest', 'a -'], pushes: ['a h.io/x'] },
    ],
    [
      'dangling',
      { outputs: outputs('type=image,dangling-name-prefix=kept') },
      { stored: ['a docker.io/library/kept@', 'a -'] },
    ],
    [
      'dangling for lack of a name',
      { tags: ['x'], outputs: outputs('type=image,dangling-name-prefix=kept,danging-name-empty-only=true') },
      { stored: ['a docker.io/library/x:latest', 'a docker.io/library/x:latest'] },
    ],
    [
      'store=false',
      { tags: ['h.io/x'], outputs: outputs('type=registry,store=false') },
      { stored: [], pushes: ['a h.io/x:latest'] },
    ],
    ['cacheonly', { tags: ['x'], outputs: outputs('type=cacheonly') }, { stored: [], written: [], pushes: [] }],
    [
      'the same push twice',
      { tags: ['h.io/x'], outputs: outputs('type=registry', 'type=registry,registry.insecure=true') },
      { pushes: ['a h.io/x:latest insecure'] },
    ],
  ])('%s', (_, options, expected) => {
    expect(planned(options)).toMatchObject(expected);
  });

  it.each<[string, OutputPlanOptions, string?]>([
    ['a name that is none', { outputs: outputs('type=image,name=BAD') }, 'INVALID_VALUE'],
    ['a name with a digest', { tags: [`x@sha256:${'0'.repeat(64)}`] }],
    ['nothing to push to', { push: true }],
    ['an output without anything to push to', { outputs: outputs('type=registry') }],
    ['by digest, with a tag', { outputs: outputs('type=registry,name=h.io/x:1,push-by-digest=true') }],
    [
      'two things of one name in the store',
      { tags: ['x'], outputs: outputs('type=image', 'type=image,compression=none') },
    ],
    [
      'two things of one name in a registry',
      { tags: ['h.io/x'], outputs: outputs('type=registry,store=false', 'type=registry,store=false,compression=none') },
    ],
    ['two outputs to one place', { outputs: outputs('type=oci,dest=a', 'type=docker,dest=a') }],
    ['two outputs to standard output', { outputs: outputs('-', 'type=oci') }],
    ['a level of nothing', { outputs: outputs('type=oci,dest=a,compression=none,compression-level=1') }],
    ['a level out of range', { level: 10 }],
    ['a level that zstd lacks', { compression: 'zstd', level: 0 }],
    ['annotations in a Docker manifest', { outputs: outputs('type=oci,oci-mediatypes=false,annotation.a=1') }],
    ['provenance in a Docker index', { provenance: {}, outputs: outputs('type=oci,oci-mediatypes=false') }],
    ['annotations of an index that there is not', { outputs: outputs('type=oci,annotation-index.a=1') }],
    [
      'annotations of a platform that is not built',
      { outputs: outputs('type=oci,annotation-manifest[linux/arm64].a=1') },
    ],
  ])('refuses %s', (_, options, code = 'USAGE') => {
    expect(codeOf(() => planOutputs(options, [amd64]))).toBe(code);
  });

  it('refuses a Docker archive of several platforms', () => {
    expect(codeOf(() => planOutputs({ outputs: outputs('type=docker') }, [amd64, arm64]))).toBe('UNSUPPORTED');
  });
});

describe('imageVariant', () => {
  const variant = (text: string | undefined, options: OutputPlanOptions = {}) =>
    imageVariant(text === undefined ? undefined : parseOutput(text), ['n'], options, [amd64]);

  it('is what the output says, else what the build says', () => {
    expect(variant(undefined)).toEqual({
      ...{
        compression: 'gzip',
        level: undefined,
        forceCompression: false,
        style: 'oci',
        annotations: [],
        index: false,
      },
    });
    expect(variant('type=oci', { compression: 'zstd', level: 3 })).toMatchObject({ compression: 'zstd', level: 3 });
    expect(variant('type=oci,compression=none', { level: 3 })).toMatchObject({ compression: 'none', level: undefined });
    expect(variant('type=oci,oci-mediatypes=false,force-compression=true')).toMatchObject({
      style: 'docker',
      forceCompression: true,
    });
    expect(variant(undefined, { forceCompression: true }).forceCompression).toBe(true);
    expect(variant('type=oci', { forceCompression: true }).forceCompression).toBe(true);
    expect(variant('type=oci,force-compression=false', { forceCompression: true }).forceCompression).toBe(false);
    const annotations = [{ place: 'manifest', key: 'a', value: '1' } as const];
    expect(variant('type=oci,annotation.b=2', { annotations }).annotations).toHaveLength(2);
  });

  it('has an index for what needs one', () => {
    expect(variant(undefined, { buildArgs: { BUILDKIT_MULTI_PLATFORM: '1' } }).index).toBe(true);
    expect(variant(undefined, { buildArgs: { BUILDKIT_MULTI_PLATFORM: 'false' } }).index).toBe(false);
    const annotations = [{ place: 'index', key: 'a', value: '1' } as const];
    expect(variant(undefined, { provenance: {}, annotations }).annotations).toHaveLength(1);
  });

  it('has provenance where it belongs', () => {
    const provenance = { mode: 'min' } as const;
    expect(variant(undefined, { provenance }).provenance).toEqual({ mode: 'min', names: ['n'], artifact: true });
    expect(variant('type=oci,oci-artifact=false', { provenance }).provenance).toMatchObject({ artifact: false });
    const inlineOnly = { inlineOnly: true };
    expect(variant('type=registry', { provenance: inlineOnly }).provenance).toBeDefined();
    expect(variant('type=oci', { provenance: inlineOnly }).provenance).toBeUndefined();
    expect(variant('type=oci,attestation-inline=true', { provenance: inlineOnly }).provenance).toBeDefined();
  });
});

describe('agreedTimes', () => {
  it('is what all images of a build say', () => {
    expect(agreedTimes({}, [])).toEqual({ timestamps: undefined, epoch: undefined });
    const both = outputs('type=oci,dest=a,source-date-epoch=5,rewrite-timestamp=false', 'type=tar,source-date-epoch=9');
    expect(agreedTimes({}, both)).toEqual({ timestamps: 'keep', epoch: 5 });
    expect(agreedTimes({ timestamps: 'keep' }, outputs('type=oci,dest=a'))).toMatchObject({ timestamps: 'keep' });
  });

  it.each([
    [{}, ['type=oci,dest=a,source-date-epoch=5', 'type=oci,dest=b']],
    [{}, ['type=oci,dest=a,rewrite-timestamp=false', 'type=oci,dest=b']],
    [{ timestamps: 'clamp' as const }, ['type=oci,dest=a,rewrite-timestamp=false']],
  ])('refuses %j with %j', (options, texts) => {
    expect(codeOf(() => agreedTimes(options, outputs(...texts)))).toBe('USAGE');
  });
});
