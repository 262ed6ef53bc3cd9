import type { Annotation } from '../build/annotations.js';
import { assembleBuild, type BuildResult, type ImageVariant } from '../build/assemble.js';
import { build } from '../build/build.js';
import type { Timestamps } from '../build/copy/clamp.js';
import type { BuildEvent } from '../build/event.js';
import type { NamedContexts } from '../build/inputs.js';
import { type ProvenanceOptions, provenance } from '../build/provenance.js';
import type { CopyEvent } from '../content/copy.js';
import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { Compression } from '../oci/media-types.js';
import { type Platform, parsePlatform } from '../oci/platform.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { SandboxName } from '../sandbox/sandbox-name.js';
import type { Store } from '../store/store.js';
import { lazy } from '../stream/lazy.js';
import { baseImages, type PullPolicy } from './base-images.js';
import { type ContextSource, keepsGitDir, openContext } from './build-context.js';
import { requestArguments } from './build-request.js';
import type { BuildSecret } from './build-secrets.js';
import { type CommandOptions, openCommands } from './command-settings.js';
import { agreedTimes, variantKey, wantsIndex } from './image-variants.js';
import { nameImages } from './name-images.js';
import type { Output } from './output.js';
import { planOutputs } from './output-plan.js';
import { pushContent, pushName } from './push-image.js';
import type { RegistryAccess } from './registry-access.js';
import { trialMemory } from './trial-memory.js';
import { openWorkspace } from './workspace.js';

export interface BuildImageOptions extends ContextSource, CommandOptions {
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
  /**
   * Name to `docker-image://REF`, `oci-layout://DIR[:tag]`, a Git repository, an http(s) address of an archive, or a folder.
   * A name `NAME::os/arch` is for that platform alone.
   */
  readonly buildContexts?: Readonly<Record<string, string>> | undefined;
  /** By id; `parseSecret` reads them from text. */
  readonly secrets?: Readonly<Record<string, BuildSecret>> | undefined;
  /**
   * The environment for the one program that a build may start, git. It gets PATH, proxies, certificates and, for
   * repositories over SSH, SSH_AUTH_SOCK and GIT_SSH_COMMAND, and nothing else of it. @default {}
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly noCache?: boolean | undefined;
  /** Names of stages, in any case, whose steps are carried out again. */
  readonly noCacheFilter?: readonly string[] | undefined;
  /** @default 'missing' */
  readonly pull?: PullPolicy | undefined;
  /** @default 'clamp' */
  readonly timestamps?: Timestamps | undefined;
  /** @default 'gzip' */
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  /** Compress the layers of the base image like the others. @default false */
  readonly forceCompression?: boolean | undefined;
  /** Of the image; `parseAnnotation` reads them from text. */
  readonly annotations?: readonly Annotation[] | undefined;
  /** Say in the image, which then is an index, what it was made from and how. */
  readonly provenance?: ProvenanceOptions | undefined;
  readonly outputs?: readonly Output[] | undefined;
  /** Push every name when the build is done. */
  readonly push?: boolean | undefined;
  readonly registry?: RegistryAccess | undefined;
  /** Steps that are carried out at the same time. The result does not depend on it. @default the number of processors, at least 4 */
  readonly concurrency?: number | undefined;
  /** What executes RUN, or which of those that are there is to. @default 'auto', the best that this machine allows */
  readonly sandbox?: Sandbox | SandboxName | undefined;
  /**
   * The caller can start itself anew in a user namespace, and does so when {@link UserNamespaceNeeded} is thrown, which is
   * before anything is built. @default false
   */
  readonly mayEnter?: boolean | undefined;
  /**
   * What relative paths start from: in `dockerfile` and `secrets` by default the current folder, in `buildContexts` the
   * context.
   */
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
  /** The image, or the index over all of them. Where outputs differ, that of the first one. */
  readonly descriptor: Descriptor;
  /** Names it has in the store now. */
  readonly names: readonly string[];
  /** Names that were pushed. */
  readonly pushed: readonly string[];
  readonly images: ReadonlyArray<{
    readonly platform: Platform;
    readonly descriptor: Descriptor;
    readonly configDigest: Digest;
    /** What it was made from and how: the predicate of SLSA provenance 0.2, whether or not the image has it. */
    readonly provenance: Readonly<Record<string, unknown>>;
  }>;
}

/** Builds an image into the store, names it, and hands it to the outputs and registries that were asked for. */
export async function buildImage(options: BuildImageOptions): Promise<BuildImageResult> {
  const { store, signal, registry } = options;
  const onEvent = options.onEvent ?? (() => {});
  const platforms = platformsOf(options);
  const { concurrency } = options;
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0)) {
    throw new LadingError('USAGE', 'the number of steps at a time is a whole number from 1', {
      details: { option: 'jobs' },
    });
  }
  const { buildContexts = {}, outputs = [] } = options;
  const times = agreedTimes(options, outputs);
  const plan = planOutputs(options, platforms);
  const transfer = { registry, signal };
  const images = baseImages({
    ...transfer,
    store,
    pull: options.pull ?? 'missing',
    onEvent: (reference, event) => onEvent({ kind: 'transfer', reference, event }),
  });
  const onWarning = (message: string): void => onEvent({ kind: 'warning', message });
  const workspace = await openWorkspace(options);
  const { sandbox: wanted = 'auto' } = options;
  const sandbox = lazy(async () => {
    if (typeof wanted !== 'string') return wanted;
    const scratch = await workspace.temporary();
    const { chooseSandbox } = await import('../sandbox/choose-sandbox.js');
    return await chooseSandbox({
      name: wanted,
      path: options.env?.['PATH'],
      scratch,
      mayEnter: options.mayEnter,
      memory: trialMemory(store),
    });
  });
  const commands = openCommands({ ...options, sandbox }, workspace);
  try {
    const temporary = await workspace.temporary();
    // Behind the lease: only now is the store there, and can be told from what it may lie in.
    if (outputs.length > 0) await (await import('./write-output.js')).checkPlaces(outputs, store.root);
    const { context, dockerfile } = await openContext(options, {
      ...workspace,
      signal,
      storeRoot: store.root,
      keepGitDir: keepsGitDir(options.buildArgs),
      onWarning,
      onProgress: (bytes, total) => onEvent({ kind: 'context-progress', bytes, total }),
    });
    if (context.origin !== undefined) onEvent({ kind: 'context-done' });
    const contexts: NamedContexts =
      Object.keys(buildContexts).length === 0
        ? new Map()
        : await (await import('./named-contexts.js')).namedContexts(buildContexts, {
            ...transfer,
            ...workspace,
            store,
            images,
            host: options.host,
            directory: options.directory ?? context.directory ?? '.',
            onWarning,
          });
    const built = await build({
      ...workspace,
      temporary,
      store,
      context,
      dockerfile,
      images,
      contexts,
      findEpoch: async (source, call) => {
        const { findEpoch } = await import('../build/find-epoch.js');
        return await findEpoch(source, { ...workspace, ...call, context, contexts });
      },
      sandbox,
      entitlements: new Set(options.entitlements),
      commands: commands.settings,
      debugShell: options.debugShell,
      platforms,
      platformsAsked: (options.platforms ?? []).length > 0,
      buildPlatform: options.host,
      target: options.target,
      buildArgs: new Map(Object.entries(options.buildArgs ?? {})),
      labels: options.labels,
      noCache: options.noCache,
      noCacheFilter: options.noCacheFilter,
      concurrency,
      ...times,
      compression: plan.primary.compression,
      level: plan.primary.level,
      request: { args: requestArguments(options), origin: dockerfile.origin },
      onEvent,
      signal,
    });
    const assembled = new Map<string, Promise<BuildResult>>();
    const variant = (wanted: ImageVariant): Promise<BuildResult> => {
      const key = variantKey(wanted);
      const result = assembled.get(key) ?? assembleBuild(built, wanted, { store, signal });
      assembled.set(key, result);
      return result;
    };
    const result = await variant(plan.primary);
    for (const { image, platform } of result.images) {
      onEvent({ kind: 'image-done', descriptor: image.descriptor, platform });
    }
    const names = await nameImages(plan.stored, variant, { store, signal });
    const split = wantsIndex(options, platforms);
    for (const { output, variant: wanted, names } of plan.written) {
      const { writeFiles, writeImage } = await import('./write-output.js');
      if (wanted === undefined) {
        await writeFiles(output, built, { store, split, provenance: options.provenance, signal });
      } else await writeImage(output, (await variant(wanted)).descriptor, names, { store, signal });
      onEvent({ kind: 'output-done', output });
    }
    const pushed: string[] = [];
    for (const { variant: wanted, reference, insecure } of plan.pushes) {
      const { descriptor } = await variant(wanted);
      const name = pushName(reference, descriptor);
      await pushContent(store, descriptor, reference, {
        registry: insecure ? { ...registry, insecure } : registry,
        signal,
        onEvent: event => onEvent({ kind: 'push', name, event }),
      });
      pushed.push(name);
    }
    return {
      descriptor: result.descriptor,
      names,
      pushed,
      images: result.images.map(({ platform, image }, i) => ({
        platform,
        descriptor: image.descriptor,
        configDigest: image.manifest.config.digest,
        provenance: { ...provenance(built[i]!.record, { version: 'v0.2' }).predicate },
      })),
    };
  } finally {
    await commands.close();
    await workspace.close();
  }
}

/** The platforms that are asked for, each once; without any the host's. */
export function platformsOf(options: Pick<BuildImageOptions, 'platforms' | 'host'>): [Platform, ...Platform[]] {
  const parsed = (options.platforms ?? []).map(text => parsePlatform(text, options.host));
  const unique = new Map(parsed.map(platform => [JSON.stringify(platform), platform]));
  const [first = options.host, ...more] = unique.values();
  return [first, ...more];
}
