/**
 * Dockerfile to image: parse, plan, carry the needed stages out on virtual trees, assemble. The one folder that knows both
 * Dockerfiles and layers. It is given its store, images, contexts and sandbox; it imports none of their implementations
 * and touches nothing but the context that it reads and the temporary folder that it is given.
 */

import { availableParallelism } from 'node:os';
import { stepCache } from '../cache/step-cache.js';
import { type Image, openImage } from '../image/image.js';
import { assembleImage, imageIndex } from '../image/mutate.js';
import type { ImageConfig } from '../oci/config.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Compression } from '../oci/media-types.js';
import type { Platform } from '../oci/platform.js';
import { formatTime } from '../oci/time.js';
import { type StageGraph, sourceDateEpoch } from '../plan/graph.js';
import { finalConfig } from '../plan/lower.js';
import { inOnePiece } from '../stream/bytes.js';
import type { DirectoryNode } from '../tree/node.js';
import { type Annotation, annotationsAt } from './annotations.js';
import { copySources } from './copy-sources.js';
import { FileAccess } from './file-access.js';
import type { BuildStore, RemoteFiles } from './inputs.js';
import { layerWork } from './layer-work.js';
import { type PlanBuildOptions, type PlannedPlatform, planBuild, readSource } from './plan-build.js';
import type { ReadyStage } from './plan-stages.js';
import type { StageResult } from './run-step.js';
import { runWork } from './run-work.js';
import { workGraph } from './work-graph.js';

/** 2000-01-01T00:00:00Z: what times are clamped to when nothing else is said; zip and its like can hold it. */
export const defaultEpoch = 946_684_800;

export interface BuildOptions extends PlanBuildOptions {
  readonly store: BuildStore;
  /** A folder for files that live as long as the build; the caller removes it. */
  readonly temporary: string;
  /** Where ADD gets files of the web. */
  readonly remote: RemoteFiles;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly noCache?: boolean | undefined;
  /** Names of stages, in any case, whose steps are carried out again. */
  readonly noCacheFilter?: readonly string[] | undefined;
  /** `clamp`: no file is newer than SOURCE_DATE_EPOCH; `keep`: file times stay as they are. */
  readonly timestamps?: 'clamp' | 'keep' | undefined;
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  /** Whose media types the image has. @default 'oci' */
  readonly style?: 'oci' | 'docker' | undefined;
  readonly annotations?: readonly Annotation[] | undefined;
  /** Steps that are carried out at the same time; never changes the result. */
  readonly concurrency?: number | undefined;
}

export interface BuiltImage {
  readonly platform: Platform;
  readonly image: Image;
  /** The files of the image, for outputs that are no image. */
  readonly tree: DirectoryNode;
}

export interface BuildResult {
  /** The image, or the index over all platforms. It is in the store, not named yet. */
  readonly descriptor: Descriptor;
  readonly images: readonly BuiltImage[];
}

/**
 * COPY and ADD are bound by the processors and the disk, which two or three of them keep busy, but those that fetch wait
 * for a network, and commands will do either. So: as many as there are processors, and some where there are few. Memory
 * does not depend on it: packing, which needs most, has a limit of its own.
 */
const defaultConcurrency = Math.max(4, availableParallelism());

/**
 * Builds an image into the store: independent stages at the same time, what several platforms share once. No byte of the
 * result depends on which of them is faster.
 * @throws LadingError DOCKERFILE_SYNTAX and others with the place in the Dockerfile; the store then has at most layers more
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const { dockerfile, store, contexts = new Map(), onEvent = () => {} } = options;
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
  const graph = workGraph(platforms, {
    opened,
    contexts,
    epoch: planned => epochOf(planned.graph),
    fresh: stage => (options.noCache ?? false) || isNamed(stage, options.noCacheFilter),
  });
  const results = await runWork(graph, {
    text: dockerfile.text,
    store,
    cache: stepCache(store),
    layers: layerWork(),
    files: new FileAccess(store),
    sources: copySources(options.context, store),
    compression: options.compression ?? 'gzip',
    level: options.level,
    timestamps: options.timestamps ?? 'clamp',
    temporary: options.temporary,
    remote: options.remote,
    concurrency: options.concurrency ?? defaultConcurrency,
    onEvent,
    signal: options.signal,
  });
  const images: BuiltImage[] = [];
  for (const [place, planned] of platforms.entries()) {
    const built = await storeImage(planned, results[place]!, options);
    images.push(built);
    onEvent({ kind: 'image-done', descriptor: built.image.descriptor, platform: built.platform });
  }
  return { descriptor: await resultDescriptor(images, options), images };
}

async function storeImage(
  { platform, graph, stages }: PlannedPlatform,
  { tree, layers, history }: StageResult,
  options: BuildOptions,
): Promise<BuiltImage> {
  const { store, signal } = options;
  const target = stages.find(stage => stage.index === graph.target)!;
  const config = imageConfig(
    target,
    history,
    layers.map(layer => layer.diffId),
    epochOf(graph),
    options,
  );
  const annotations = annotationsAt(options.annotations ?? [], 'manifest', platform);
  const assembled = assembleImage({ config, layers, annotations, style: options.style });
  await store.put(assembled.config, inOnePiece(assembled.configBytes), { signal });
  await store.put(assembled.descriptor, inOnePiece(assembled.manifestBytes), { signal });
  return { platform, tree, image: await openImage(store, assembled.descriptor, { signal }) };
}

function epochOf(graph: StageGraph): number {
  const text = sourceDateEpoch(graph);
  return text === undefined ? defaultEpoch : Number(text);
}

function imageConfig(
  target: ReadyStage,
  history: StageResult['history'],
  diffIds: ImageConfig['rootfs']['diff_ids'],
  epoch: number,
  options: BuildOptions,
): ImageConfig {
  const { platform, author } = target.plan.state;
  return {
    ...platform,
    author,
    config: finalConfig(target.plan.state, options.labels),
    created: formatTime(epoch),
    history,
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
}

async function resultDescriptor(images: readonly BuiltImage[], options: BuildOptions): Promise<Descriptor> {
  const { annotations = [], style } = options;
  const described = images.map(({ image, platform }) =>
    annotated(image.descriptor, annotationsAt(annotations, 'manifest-descriptor', platform)),
  );
  if (described.length === 1) return described[0]!;
  const manifests = described.map((descriptor, i) => ({ ...descriptor, platform: images[i]!.platform }));
  const index = imageIndex(manifests, { annotations: annotationsAt(annotations, 'index'), style });
  await options.store.put(index.descriptor, inOnePiece(index.bytes), { signal: options.signal });
  return annotated(index.descriptor, annotationsAt(annotations, 'index-descriptor'));
}

function annotated(descriptor: Descriptor, annotations: Descriptor['annotations']): Descriptor {
  return annotations === undefined ? descriptor : { ...descriptor, annotations };
}

function isNamed(name: string | undefined, names: readonly string[] = []): boolean {
  return name !== undefined && names.some(other => other.toLowerCase() === name);
}
