/**
 * Dockerfile to image: parse, plan, carry the needed stages out on virtual trees, assemble. The one folder that knows both
 * Dockerfiles and layers. It is given its store, images, contexts and sandbox; it imports none of their implementations
 * and touches nothing but the context that it reads and the temporary folder that it is given.
 */

import { availableParallelism } from 'node:os';
import { StatCache } from '../cache/stat-cache.js';
import { stepCache } from '../cache/step-cache.js';
import { StoredSpans } from '../cache/stored-spans.js';
import type { ImageConfig } from '../oci/config.js';
import type { Compression } from '../oci/media-types.js';
import type { Platform } from '../oci/platform.js';
import { formatTime } from '../oci/time.js';
import { type StageGraph, sourceDateEpoch } from '../plan/graph.js';
import { finalConfig, finalPlatform } from '../plan/lower.js';
import type { LayerRef } from '../tree/node.js';
import { type BuildRecord, type BuildRequest, plannedInputs } from './build-record.js';
import type { Timestamps } from './copy/clamp.js';
import { copySources } from './copy-sources.js';
import type { BuildEvent } from './event.js';
import { FileAccess } from './file-access.js';
import type { BuildStore, GitRepositories, RemoteFiles } from './inputs.js';
import { layerWork } from './layer-work.js';
import type { LazyTree } from './lazy-tree.js';
import { fetchedOrigins, fetchLog, materialsOf } from './materials.js';
import { type PlanBuildOptions, type PlannedPlatform, planBuild, readSource } from './plan-build.js';
import type { ReadyStage } from './plan-stages.js';
import { bindFolders } from './run/bind-folders.js';
import type { CommandSettings } from './run/command-settings.js';

import { runWork } from './run-work.js';
import { ScanCrew } from './scan-crew.js';
import { worthThreads } from './scan-folder.js';
import { workGraph } from './work-graph.js';

/** 2000-01-01T00:00:00Z: what times are clamped to when nothing else is said; zip and its like can hold it. */
export const defaultEpoch = 946_684_800;

export interface BuildOptions extends PlanBuildOptions {
  readonly store: BuildStore;
  /** A folder for files that live as long as the build; the caller removes it. */
  readonly temporary: string;
  /** Where ADD gets files of the web. */
  readonly remote: RemoteFiles;
  /** Where it gets repositories. */
  readonly git: GitRepositories;
  /** How commands are run, beside `sandbox`. */
  readonly commands: Omit<CommandSettings, 'sandbox' | 'onFailure'>;
  /** When a command has failed, and nothing else runs any more, a shell is opened where it ran. */
  readonly debugShell?: boolean | undefined;
  /** Whether the platforms were asked for, and are not just that of this machine: an image then says that it is of its own. */
  readonly platformsAsked?: boolean | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly noCache?: boolean | undefined;
  /** Names of stages, in any case, whose steps are carried out again. */
  readonly noCacheFilter?: readonly string[] | undefined;
  /** @default 'clamp' */
  readonly timestamps?: Timestamps | undefined;
  /** Instead of what the Dockerfile and its arguments say for SOURCE_DATE_EPOCH. */
  readonly epoch?: number | undefined;
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  /** Steps that are carried out at the same time; never changes the result. */
  readonly concurrency?: number | undefined;
  /** What is asked for, for the record. */
  readonly request?: BuildRequest | undefined;
}

/** One platform, built: files and layers, of which images can be assembled in more ways than one. */
export interface BuiltPlatform {
  readonly platform: Platform;
  readonly tree: LazyTree;
  /** Oldest first. */
  readonly layers: readonly LayerRef[];
  /** How many of them are those of the base image, as they were there. */
  readonly baseLayers: number;
  /** How the other layers are compressed. */
  readonly compression: Compression;
  readonly level: number | undefined;
  readonly config: ImageConfig;
  /** The time of what the build itself makes, in seconds since 1970. */
  readonly epoch: number;
  readonly record: BuildRecord;
}

/**
 * COPY and ADD are bound by the processors and the disk, which two or three of them keep busy, but those that fetch wait
 * for a network, and commands will do either. So: as many as there are processors, and some where there are few. Memory
 * does not depend on it: packing, which needs most, has a limit of its own.
 */
const defaultConcurrency = Math.max(4, availableParallelism());

/**
 * Builds every platform: independent stages at the same time, what several platforms share once. No byte of the result
 * depends on which of them is faster. The layers are in the store then; no image is there yet (see `assemble.ts`).
 * @throws LadingError DOCKERFILE_SYNTAX and others with the place in the Dockerfile; the store then has at most layers more
 */
export async function build(options: BuildOptions): Promise<BuiltPlatform[]> {
  const now = Date.now();
  const notes = [options.store.notes, { directories: directoriesOf(options), now }] as const;
  const stats = new StatCache(...notes);
  const crew = new ScanCrew();
  try {
    // Where there were many files the last time, the threads that list them get ready while the build is planned.
    if ((await stats.size()) > worthThreads) crew.start();
    return await buildWith(options, { now, stats, spans: new StoredSpans(...notes), crew });
  } finally {
    await crew.close();
  }
}

interface Listing {
  readonly now: number;
  readonly stats: StatCache;
  readonly spans: StoredSpans;
  readonly crew: ScanCrew;
}

async function buildWith(options: BuildOptions, { now, stats, spans, crew }: Listing): Promise<BuiltPlatform[]> {
  const { dockerfile, store, contexts = new Map(), compression = 'gzip', level, onEvent = () => {} } = options;
  const source = readSource(options);
  const stageNames = source.ast.instructions.flatMap(each => (each.kind === 'FROM' ? (each.stageName ?? []) : []));
  const unknown = (options.noCacheFilter ?? []).filter(name => !stageNames.includes(name.toLowerCase()));
  if (unknown.length > 0) {
    onEvent({
      kind: 'warning',
      message: `No stage is called [${unknown.join(' ')}]: nothing to leave the cache out for`,
    });
  }
  const { platforms, opened } = await planBuild(source, options);
  const epoch = ({ graph }: PlannedPlatform): number => options.epoch ?? epochOf(graph);
  const graph = workGraph(platforms, {
    opened,
    contexts,
    epoch,
    fresh: stage => (options.noCache ?? false) || isNamed(stage, options.noCacheFilter),
  });
  const fetched = fetchLog(options);
  let openShell: (() => Promise<void>) | undefined;
  const working = runWork(graph, {
    text: dockerfile.text,
    slot: { context: options.context.directory ?? null, file: dockerfile.file },
    store,
    cache: stepCache(store),
    layers: layerWork(),
    files: new FileAccess(store, stats, spans),
    sources: copySources(options.context, store, { crew, exact: options.timestamps === 'exact' }),
    now,
    compression,
    level,
    timestamps: options.timestamps ?? 'clamp',
    temporary: options.temporary,
    remote: fetched.remote,
    git: fetched.git,
    commands: {
      settings: {
        ...options.commands,
        sandbox: options.sandbox,
        onFailure: open => {
          openShell ??= open;
        },
      },
      folders: bindFolders(options.commands.roots, options.temporary),
    },
    concurrency: options.concurrency ?? defaultConcurrency,
    onEvent,
    signal: options.signal,
  });
  const results = await working.catch(async error => {
    if (options.debugShell && openShell !== undefined) await debugShell(openShell, error, onEvent);
    throw error;
  });
  await stats.save({ signal: options.signal });
  await spans.save({ signal: options.signal });
  const origins = await fetchedOrigins(graph.work);
  const { buildPlatform, request = { args: {} } } = options;
  const { origin } = options.context;
  return platforms.map((planned, place) => {
    const { tree, layers, baseLayers, history, created = formatTime(epoch(planned)) } = results[place]!;
    const target = planned.stages.find(stage => stage.index === planned.graph.target)!;
    const diffIds = layers.map(layer => layer.diffId);
    const asked = options.platformsAsked ? planned.platform : undefined;
    const config = imageConfig(target, asked, { history, created }, diffIds, options);
    const used = materialsOf(planned, { opened, contexts, fetched: fetched.fetched, origins });
    const materials = [...(origin === undefined ? [] : [origin]), ...used];
    const inputs = plannedInputs(planned, options.context, contexts, options.commands.network);
    const record = { request, dockerfile, buildPlatform, materials, ...inputs };
    const { platform } = planned;
    return { platform, tree, layers, baseLayers, compression, level, config, epoch: epoch(planned), record };
  });
}

/** What goes wrong with the shell is a warning: the build has failed for another reason. */
async function debugShell(
  open: () => Promise<void>,
  failure: unknown,
  onEvent: (event: BuildEvent) => void,
): Promise<void> {
  const reason = failure instanceof Error ? failure.message : String(failure);
  onEvent({ kind: 'debug-shell', state: 'open', reason });
  try {
    await open();
  } catch (error) {
    onEvent({ kind: 'warning', message: `no shell: ${error instanceof Error ? error.message : String(error)}` });
  }
  onEvent({ kind: 'debug-shell', state: 'closed', reason });
}

/** The folders of this machine that files can come from. */
function directoriesOf({ context, contexts = new Map() }: BuildOptions): string[] {
  const named = [...contexts.values()].flatMap(named => (named.kind === 'directory' ? [named.path] : []));
  return context.directory === undefined ? named : [context.directory, ...named];
}

function epochOf(graph: StageGraph): number {
  const text = sourceDateEpoch(graph);
  return text === undefined ? defaultEpoch : Number(text);
}

function imageConfig(
  target: ReadyStage,
  asked: Platform | undefined,
  { history, created }: Pick<ImageConfig, 'history' | 'created'>,
  diffIds: ImageConfig['rootfs']['diff_ids'],
  options: BuildOptions,
): ImageConfig {
  const { state } = target.plan;
  return {
    ...finalPlatform(state, asked),
    author: state.author,
    config: finalConfig(state, options.labels),
    created,
    history,
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
}

function isNamed(name: string | undefined, names: readonly string[] = []): boolean {
  return name !== undefined && names.some(other => other.toLowerCase() === name);
}
