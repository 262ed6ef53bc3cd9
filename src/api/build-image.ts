import { rm } from 'node:fs/promises';
import type { Annotation } from '../build/annotations.js';
import { type BuildResult, build } from '../build/build.js';
import type { BuildEvent } from '../build/event.js';
import type { CopyEvent } from '../content/copy.js';
import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { Compression } from '../oci/media-types.js';
import { type Platform, parsePlatform } from '../oci/platform.js';
import { formatReference, parseReference } from '../oci/reference.js';
import { refusingSandbox, type Sandbox } from '../sandbox/sandbox.js';
import type { Store } from '../store/store.js';
import { baseImages, type PullPolicy } from './base-images.js';
import { type ContextSource, isRemoteContext, openContext } from './build-context.js';
import { imageSettings } from './image-settings.js';
import { namedContexts } from './named-contexts.js';
import { type Output, outputNames } from './output.js';
import { pushImage } from './push-image.js';
import type { RegistryAccess } from './registry-access.js';
import { remoteFiles } from './remote-files.js';
import { checkOutputs, writeOutput } from './write-output.js';

export interface BuildImageOptions extends ContextSource {
  readonly store: Store;
  /** The platform of this machine, for `RUN`, `local` and as the default of what is built. */
  readonly host: Platform;
  /** Names for the image. */
  readonly tags?: readonly string[] | undefined;
  readonly target?: string | undefined;
  /** `os/arch[/variant]`; several make an index. */
  readonly platforms?: readonly string[] | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Name to `docker-image://REF`, `oci-layout://DIR[:tag]` or a folder. */
  readonly buildContexts?: Readonly<Record<string, string>> | undefined;
  readonly noCache?: boolean | undefined;
  /** Names of stages, in any case, whose steps are carried out again. */
  readonly noCacheFilter?: readonly string[] | undefined;
  /** @default 'missing' */
  readonly pull?: PullPolicy | undefined;
  /** @default 'clamp' */
  readonly timestamps?: 'clamp' | 'keep' | undefined;
  /** @default 'gzip' */
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  /** Of the image; `parseAnnotation` reads them from text. */
  readonly annotations?: readonly Annotation[] | undefined;
  readonly outputs?: readonly Output[] | undefined;
  /** Push every tag when the build is done. */
  readonly push?: boolean | undefined;
  readonly registry?: RegistryAccess | undefined;
  /** Steps that are carried out at the same time. The result does not depend on it. @default the number of processors, at least 4 */
  readonly concurrency?: number | undefined;
  /** What executes RUN; by default nothing does, and reaching one is an error. */
  readonly sandbox?: Sandbox | undefined;
  /** What relative paths start from: in `dockerfile` by default the current folder, in `buildContexts` the context. */
  readonly directory?: string | undefined;
  readonly onEvent?: ((event: BuildImageEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a build says, and then what its pushes do. */
export type BuildImageEvent =
  | BuildEvent
  /** A context on its way: bytes so far, of `total` where the server says how many. */
  | { readonly kind: 'context-progress'; readonly bytes: number; readonly total?: number | undefined }
  | { readonly kind: 'context-done' }
  | { readonly kind: 'push'; readonly name: string; readonly event: CopyEvent }
  | { readonly kind: 'output-done'; readonly output: Output };

export interface BuildImageResult {
  /** The image, or the index when there are several platforms. */
  readonly descriptor: Descriptor;
  /** Names it has in the store now. */
  readonly names: readonly string[];
  readonly images: ReadonlyArray<{
    readonly platform: Platform;
    readonly descriptor: Descriptor;
    readonly configDigest: Digest;
  }>;
}

const nothingRuns = 'this version executes no processes';

/** Builds an image into the store, names it, and hands it to the outputs and registries that were asked for. */
export async function buildImage(options: BuildImageOptions): Promise<BuildImageResult> {
  const { store, context, signal, registry } = options;
  const onEvent = options.onEvent ?? (() => {});
  const names = (options.tags ?? []).map(taggedName);
  const platforms = platformsOf(options);
  const settings = imageSettings(options, platforms);
  const { concurrency } = options;
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0)) {
    throw new LadingError('USAGE', 'the number of steps at a time is a whole number from 1', {
      details: { option: 'jobs' },
    });
  }
  checkOutputs(options.outputs ?? [], platforms);
  if (names.length === 0 && (options.push || options.outputs?.some(({ push, name }) => push && name === undefined))) {
    throw new LadingError('USAGE', 'there is nothing to push to: the image has no name', {
      details: { option: 'push' },
      hint: 'Give it one with -t REGISTRY/REPOSITORY:TAG.',
    });
  }
  const transfer = { registry, signal };
  const images = baseImages({
    ...transfer,
    store,
    pull: options.pull ?? 'missing',
    onEvent: (reference, event) => onEvent({ kind: 'transfer', reference, event }),
  });
  const folder = context === undefined || isRemoteContext(context) ? '.' : context;
  const directory = options.directory ?? folder;
  const onWarning = (message: string): void => onEvent({ kind: 'warning', message });
  const lease = await store.lease();
  const temporary = await store.workFolder();
  const remote = remoteFiles({
    directory: temporary,
    offline: options.pull === 'never',
    userAgent: registry?.userAgent,
    onRetry: ({ url, reason }) => registry?.onWarning?.(`${url}: ${reason}; trying again`),
  });
  try {
    // Behind the lease: only now is the store there, and can be told from what it may lie in.
    const opened = await openContext(options, {
      store,
      storeRoot: store.root,
      remote,
      temporary,
      signal,
      onWarning,
      onProgress: (bytes, total) => onEvent({ kind: 'context-progress', bytes, total }),
    });
    if (isRemoteContext(context ?? '')) onEvent({ kind: 'context-done' });
    const contexts = await namedContexts(options.buildContexts ?? {}, {
      ...transfer,
      store,
      images,
      directory,
      onWarning,
    });
    const result = await build({
      ...opened,
      store,
      images,
      contexts,
      sandbox: options.sandbox ?? refusingSandbox(nothingRuns),
      temporary,
      remote,
      platforms,
      buildPlatform: options.host,
      target: options.target,
      buildArgs: new Map(Object.entries(options.buildArgs ?? {})),
      labels: options.labels,
      noCache: options.noCache,
      noCacheFilter: options.noCacheFilter,
      timestamps: options.timestamps,
      concurrency,
      ...settings,
      onEvent,
      signal,
    });
    await nameResult(store, result, names, signal);
    for (const output of options.outputs ?? []) {
      await writeOutput(output, result, names, { store, signal });
      onEvent({ kind: 'output-done', output });
    }
    for (const name of pushed(options, names)) {
      await pushImage(store, name, { registry, signal, onEvent: event => onEvent({ kind: 'push', name, event }) });
    }
    return {
      descriptor: result.descriptor,
      names,
      images: result.images.map(({ platform, image }) => ({
        platform,
        descriptor: image.descriptor,
        configDigest: image.manifest.config.digest,
      })),
    };
  } finally {
    await remote.close();
    await rm(temporary, { recursive: true, force: true });
    await lease.release();
  }
}

/** Every build is remembered by the store, with or without a name. */
async function nameResult(
  store: Store,
  result: BuildResult,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  if (names.length === 0) await store.keep(result.descriptor, { signal });
  for (const name of names) await store.tag(result.descriptor, name, { signal });
}

function pushed(options: BuildImageOptions, names: readonly string[]): readonly string[] {
  const outputs = options.outputs?.filter(output => output.push) ?? [];
  const named = outputs.flatMap(output => outputNames(output, names).map(taggedName));
  return [...new Set([...(options.push ? names : []), ...named])];
}

function taggedName(text: string): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined) {
    throw new LadingError('USAGE', `an image cannot be named by a digest: ${text}`, { details: { option: 'tag' } });
  }
  return formatReference(reference);
}

/** The platforms that are asked for, each once; without any the host's. */
export function platformsOf(options: Pick<BuildImageOptions, 'platforms' | 'host'>): [Platform, ...Platform[]] {
  const parsed = (options.platforms ?? []).map(text => parsePlatform(text, options.host));
  const unique = new Map(parsed.map(platform => [JSON.stringify(platform), platform]));
  const [first = options.host, ...more] = unique.values();
  return [first, ...more];
}
