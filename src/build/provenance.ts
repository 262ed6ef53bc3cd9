/**
 * SLSA provenance: what an image was made from and with which arguments, as BuildKit says it (its
 * docs/attestations/slsa-definitions.md), but for what changes from one build to the next of the same inputs: there is no
 * time, no invocation and no low-level definition.
 */
import { redactUserinfo, soundsSecret } from '../errors/redact.js';
import { type Claim, digestSet } from '../image/attestation.js';
import { formatPlatform } from '../oci/platform.js';
import type { BuildRecord } from './build-record.js';

export interface ProvenanceOptions {
  /** `min` leaves out build arguments, labels, names of secrets and the Dockerfile. @default 'max' */
  readonly mode?: 'min' | 'max' | undefined;
  /** Of the SLSA predicate. @default 'v1' */
  readonly version?: 'v1' | 'v0.2' | undefined;
  /** Who has built, by an address of theirs. */
  readonly builderId?: string | undefined;
  /** The caller's word that the same inputs give the same image. */
  readonly reproducible?: boolean | undefined;
  /** In outputs of files. @default 'provenance.json' */
  readonly filename?: string | undefined;
  /** Only in images. */
  readonly inlineOnly?: boolean | undefined;
}

/** The predicate of a provenance statement, with the type that names its form. */
export function provenance(record: BuildRecord, options: ProvenanceOptions = {}): Claim {
  const facts = factsOf(record, options);
  return options.version === 'v0.2'
    ? { predicateType: 'https://slsa.dev/provenance/v0.2', predicate: slsa02(facts) }
    : { predicateType: 'https://slsa.dev/provenance/v1', predicate: slsa1(facts) };
}

type DigestSet = Readonly<Record<string, string>>;

interface Facts {
  readonly builderId: string;
  readonly source: { readonly uri?: string; readonly digest?: DigestSet };
  readonly dockerfile: string;
  readonly request: object;
  readonly requestComplete: boolean;
  readonly builderPlatform: string;
  readonly dependencies: ReadonlyArray<{ readonly uri: string; readonly digest: DigestSet }>;
  readonly dependenciesComplete: boolean;
  readonly hermetic: boolean;
  readonly reproducible: boolean;
  readonly details: object;
}

function factsOf(record: BuildRecord, options: ProvenanceOptions): Facts {
  const { request, dockerfile, materials, locals, secrets, agents, network } = record;
  const { origin } = request;
  const full = options.mode !== 'min';
  const args = Object.entries(request.args).filter(([name]) => full || !isPrivate(name));
  // Of what is on this machine nobody else knows the digest.
  const folders = origin === undefined ? [...locals, 'dockerfile'] : locals;
  const dependenciesComplete = folders.length === 0;
  return {
    builderId: options.builderId ?? '',
    source: origin === undefined ? {} : { uri: origin.uri, digest: digestSet(origin.digest) },
    dockerfile: origin === undefined ? nameOf(dockerfile.file) : dockerfile.file,
    request: {
      frontend: 'dockerfile.v0',
      ...(args.length === 0 ? {} : { args: Object.fromEntries(args.sort(byName).map(shown)) }),
      ...(full && secrets.length > 0 ? { secrets: secrets.map(named) } : {}),
      ...(full && agents.length > 0 ? { ssh: agents.map(named) } : {}),
      ...(folders.length === 0 ? {} : { locals: folders.map(name => ({ name })) }),
    },
    requestComplete: full || !Object.keys(request.args).some(isPrivate),
    builderPlatform: formatPlatform(record.buildPlatform),
    dependencies: materials.map(({ uri, digest }) => ({ uri, digest: digestSet(digest) })),
    dependenciesComplete,
    hermetic: dependenciesComplete && !network,
    reproducible: options.reproducible ?? false,
    details: full ? { source: { infos: [sourceInfo(record)] } } : {},
  };
}

function slsa1(facts: Facts): object {
  const { source, dockerfile, request, builderPlatform, dependencies } = facts;
  return {
    buildDefinition: {
      buildType: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
      externalParameters: { configSource: { ...source, path: dockerfile }, request },
      internalParameters: { builderPlatform },
      ...(dependencies.length === 0 ? {} : { resolvedDependencies: dependencies }),
    },
    runDetails: {
      builder: { id: facts.builderId },
      metadata: {
        buildkit_metadata: facts.details,
        ...(facts.hermetic ? { buildkit_hermetic: true } : {}),
        buildkit_completeness: {
          request: facts.requestComplete,
          resolvedDependencies: facts.dependenciesComplete,
        },
        ...(facts.reproducible ? { buildkit_reproducible: true } : {}),
      },
    },
  };
}

function slsa02(facts: Facts): object {
  const { source, dockerfile, request, builderPlatform, dependencies } = facts;
  return {
    builder: { id: facts.builderId },
    buildType: 'https://mobyproject.org/buildkit@v1',
    ...(dependencies.length === 0 ? {} : { materials: dependencies }),
    invocation: {
      configSource: { ...source, entryPoint: dockerfile },
      parameters: request,
      environment: { platform: builderPlatform },
    },
    metadata: {
      completeness: {
        parameters: facts.requestComplete,
        environment: true,
        materials: facts.dependenciesComplete,
      },
      reproducible: facts.reproducible,
      'https://mobyproject.org/buildkit@v1#metadata': facts.details,
      ...(facts.hermetic ? { 'https://mobyproject.org/buildkit@v1#hermetic': true } : {}),
    },
  };
}

/** Where a file lies on this machine is no part of what was built. */
function nameOf(file: string): string {
  return file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
}

/** The Dockerfile itself, without the passwords of its addresses. */
function sourceInfo({ dockerfile: { file, text } }: BuildRecord): object {
  return { filename: nameOf(file), language: 'Dockerfile', data: Buffer.from(redactUserinfo(text)).toString('base64') };
}

function isPrivate(argument: string): boolean {
  return argument.startsWith('build-arg:') || argument.startsWith('label:');
}

/** No value that is likely to be a secret: a statement is made to be read by others. */
function shown([name, value]: readonly [string, string]): readonly [string, string] {
  const isSecret = soundsSecret(name.slice(name.indexOf(':') + 1));
  return [name, isSecret && value !== '' ? 'REDACTED' : redactUserinfo(value)];
}

function named({ id, optional }: { readonly id: string; readonly optional: boolean }): object {
  return optional ? { id, optional } : { id };
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
