import type { DockerfileAst } from '../dockerfile/ast.js';
import type { CheckOptions } from '../dockerfile/check-options.js';
import { dockerfileError } from '../dockerfile/excerpt.js';
import { applyChecks, checkOptionsOf } from '../dockerfile/lint/apply-checks.js';
import type { Finding } from '../dockerfile/lint/finding.js';
import { lintDockerfile } from '../dockerfile/lint/lint-dockerfile.js';
import { parseDockerfile } from '../dockerfile/parser.js';
import { isLadingError, type SourceRange } from '../errors/errors.js';
import type { Image } from '../image/image.js';
import type { Platform } from '../oci/platform.js';
import { epochSource } from '../plan/epoch-source.js';
import { type PlanOptions, planStages, type StageGraph, unusedBuildArgs } from '../plan/graph.js';
import type { EpochSource, FoundEpoch } from '../plan/source-date-epoch.js';
import { stepOrigins } from '../plan/step-origins.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { CallOptions } from '../stream/bytes.js';
import type { BuildContext } from './copy-sources.js';
import type { BuildEvent } from './event.js';
import type { BaseImages, NamedContexts } from './inputs.js';
import { type ImageUse, type OpenedImages, openImages } from './open-images.js';
import { imageUse, type PlatformGraph, planReachable, type ReadyStage } from './plan-stages.js';
import { checkEntitlements, type Entitlement } from './run/entitlement.js';
import { withExcerpt } from './with-excerpt.js';

/** What planning needs of the options of a build. */
export interface PlanBuildOptions extends CallOptions {
  readonly dockerfile: { readonly text: string; readonly file: string };
  readonly context: BuildContext;
  readonly images: BaseImages;
  readonly contexts?: NamedContexts | undefined;
  /** Looks up the time that SOURCE_DATE_EPOCH leads to. */
  readonly findEpoch: (source: EpochSource, options: CallOptions) => Promise<FoundEpoch>;
  /** What executes RUN. */
  readonly sandbox: () => Promise<Sandbox>;
  /** What commands may ask for. */
  readonly entitlements?: ReadonlySet<Entitlement> | undefined;
  /** At least one; with several the result is an index. */
  readonly platforms: readonly Platform[];
  readonly buildPlatform: Platform;
  readonly target?: string | undefined;
  readonly buildArgs?: ReadonlyMap<string, string> | undefined;
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
}

/** A Dockerfile as it was read, with what is to be said about it. */
export interface Source {
  readonly text: string;
  readonly ast: DockerfileAst;
  readonly findings: Finding[];
  readonly checks: CheckOptions;
}

/**
 * Reads the Dockerfile of a build. What is wrong with it is told before it fails.
 * @throws LadingError DOCKERFILE_SYNTAX, INVALID_VALUE for check options
 */
export function readSource({
  dockerfile,
  buildArgs,
  onEvent = () => {},
}: Pick<PlanBuildOptions, 'dockerfile' | 'buildArgs' | 'onEvent'>): Source {
  const { text, file } = dockerfile;
  const { ast, diagnostics } = parseDockerfile(text, { file, syntax: buildArgs?.get('BUILDKIT_SYNTAX') });
  const checks = checkOptionsOf(ast, buildArgs?.get('BUILDKIT_DOCKERFILE_CHECK'));
  const findings = [...diagnostics, ...lintDockerfile(ast, diagnostics)];
  const error = diagnostics.find(diagnostic => diagnostic.severity === 'error');
  if (error === undefined) return { text, ast, findings, checks };
  tell(findings, checks, onEvent);
  throw dockerfileError(text, error);
}

/** Gives out warnings; returns the failure that they are when the file asks for that. */
function tell(findings: readonly Finding[], checks: CheckOptions, onEvent: (event: BuildEvent) => void): unknown {
  const { warnings, failure } = applyChecks(findings, checks);
  for (const diagnostic of warnings) onEvent({ kind: 'diagnostic', diagnostic });
  return failure;
}

/** What a build does for one of its platforms. */
export interface PlannedPlatform {
  readonly platform: Platform;
  readonly graph: StageGraph;
  readonly stages: readonly ReadyStage[];
}

export interface BuildPlan {
  readonly platforms: readonly PlannedPlatform[];
  /** Every image that a stage starts from or a step takes files of. */
  readonly opened: OpenedImages;
}

/** Plans all platforms together, fetching the images that they need. Warnings come out even when it fails. */
export async function planBuild(source: Source, options: PlanBuildOptions): Promise<BuildPlan> {
  const { images, signal, context, contexts = new Map(), onEvent = () => {} } = options;
  const { text, ast, findings, checks } = source;
  const opened = new Map<string, Image>();
  const opening = { text, images, contexts, signal };
  let failure: unknown;
  let graphs: Array<PlatformGraph & { readonly platform: Platform }>;
  let stages: ReadonlyArray<readonly ReadyStage[]>;
  try {
    graphs = [];
    for (const [place, platform] of options.platforms.entries()) {
      const planOptions = await withFoundEpoch(source, options, {
        buildArgs: options.buildArgs ?? new Map(),
        targetPlatform: platform,
        buildPlatform: options.buildPlatform,
        target: options.target,
        namedContexts: new Set(contexts.keys()),
        contextIgnore: context.ignore,
        // What is found is the same for all platforms: it is said once.
        onFinding: place === 0 ? finding => findings.push(finding) : undefined,
      });
      graphs.push({ platform, planOptions, graph: planned(text, ast, planOptions) });
    }
    stages = await planReachable(graphs, { ...opening, opened });
  } finally {
    failure = tell(findings, checks, onEvent);
  }
  if (failure !== undefined) throw withExcerpt(failure, placeOf(failure)!, text);
  const platforms = graphs.map(({ platform, graph }, place) => ({ platform, graph, stages: stages[place]! }));
  const plans = stages[0]!.map(stage => stage.plan);
  const unused = unusedBuildArgs(graphs[0]!.graph, graphs[0]!.planOptions, plans);
  if (unused.length > 0) {
    onEvent({ kind: 'warning', message: `One or more build-args [${unused.join(' ')}] were not consumed` });
  }
  await checkRuns(stages.flat(), options);
  await openImages(
    platforms.flatMap(planned => imagesOfSteps(planned, contexts)),
    opened,
    opening,
  );
  return { platforms, opened };
}

/** The images that steps take files from; they are for the platform of the build, whatever that of their stage. */
function imagesOfSteps({ platform, stages }: PlannedPlatform, contexts: NamedContexts): ImageUse[] {
  return stages
    .flatMap(stage => stage.plan.steps)
    .flatMap(step =>
      stepOrigins(step).flatMap(origin =>
        origin.kind === 'named' ? imageUse(origin.name, platform, step.range, contexts) : [],
      ),
    );
}

/** The options with the time that SOURCE_DATE_EPOCH leads to, when it is none itself. */
export async function withFoundEpoch(
  { text, ast }: Source,
  { findEpoch, signal }: Pick<PlanBuildOptions, 'findEpoch' | 'signal'>,
  options: PlanOptions,
): Promise<PlanOptions> {
  const source = withLines(text, () => epochSource(ast, options));
  if (source === undefined) return options;
  try {
    return { ...options, foundEpoch: await findEpoch(source, { signal }) };
  } catch (error) {
    throw 'range' in source ? withExcerpt(error, source.range, text) : error;
  }
}

/** The stage graph; what is wrong comes with the lines of the Dockerfile. */
export function planned(text: string, ast: DockerfileAst, options: PlanOptions): StageGraph {
  return withLines(text, () => planStages(ast, options));
}

function withLines<T>(text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const range = placeOf(error);
    throw range === undefined ? error : withExcerpt(error, range, text);
  }
}

function placeOf(error: unknown): SourceRange | undefined {
  return isLadingError(error) ? error.place?.range : undefined;
}

async function checkRuns(stages: readonly ReadyStage[], options: PlanBuildOptions): Promise<void> {
  for (const { plan, step } of stages.flatMap(({ plan }) => plan.steps.map(step => ({ plan, step })))) {
    if (step.kind !== 'run') continue;
    try {
      checkEntitlements(step, options.entitlements);
      const { title, range } = step;
      await (await options.sandbox()).check({ title, range, platform: plan.state.platform });
    } catch (error) {
      throw withExcerpt(error, step.range, options.dockerfile.text);
    }
  }
}
