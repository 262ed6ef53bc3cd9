import type { Diagnostic } from '../dockerfile/ast.js';
import { applyChecks } from '../dockerfile/lint/apply-checks.js';
import { isLadingError, type LadingError } from '../errors/errors.js';
import type { Image } from '../image/image.js';
import type { Platform } from '../oci/platform.js';
import type { PlanOptions, StageGraph } from '../plan/graph.js';
import { type DockerfileOutline, outlineOf } from '../plan/outline.js';
import { type PlanBuildOptions, planned, readSource, type Source, withFoundEpoch } from './plan-build.js';
import { planReachable, type ReadyStage } from './plan-stages.js';

/** What is needed to plan a Dockerfile without carrying it out. Of base images only manifest and config are read. */
export interface AnalyzeOptions extends Omit<PlanBuildOptions, 'sandbox' | 'platforms' | 'onEvent'> {
  readonly platform: Platform;
}

export interface BuildCheck {
  /** What lint rules found and the file does not skip, in order of the lines. */
  readonly warnings: readonly Diagnostic[];
  /** Why the Dockerfile cannot be built, with the place; what stands behind it has not been looked at. */
  readonly error?: LadingError | undefined;
}

/**
 * Applies every lint rule to the target and what it needs, or, without a target, to all stages. RUN is looked at as any
 * other instruction: whether something could execute it is no matter here.
 */
export async function checkBuild(options: AnalyzeOptions): Promise<BuildCheck> {
  const told: Diagnostic[] = [];
  let source: Source;
  try {
    const onEvent: PlanBuildOptions['onEvent'] = event => {
      if (event.kind === 'diagnostic') told.push(event.diagnostic);
    };
    source = readSource({ ...options, onEvent });
  } catch (error) {
    return { warnings: told, error: ladingError(error) };
  }
  const findings = [...source.findings];
  let failure: LadingError | undefined;
  try {
    await planStagesOf(source, options, { onFinding: finding => findings.push(finding), all: !options.target });
  } catch (error) {
    failure = ladingError(error);
  }
  return { warnings: applyChecks(findings, source.checks).warnings, error: failure };
}

/** @throws LadingError as planning does, with the place in the Dockerfile */
export async function outlineBuild(options: AnalyzeOptions): Promise<DockerfileOutline> {
  const source = readSource(options);
  const { graph, stages } = await planStagesOf(source, options, { all: false });
  return outlineOf(source.ast, graph, stages);
}

async function planStagesOf(
  source: Source,
  options: AnalyzeOptions,
  { onFinding, all }: Pick<PlanOptions, 'onFinding'> & { readonly all: boolean },
): Promise<{ graph: StageGraph; stages: readonly ReadyStage[] }> {
  const { images, signal, context, contexts = new Map() } = options;
  const { text, ast } = source;
  const planOptions = await withFoundEpoch(source, options, {
    buildArgs: options.buildArgs ?? new Map(),
    targetPlatform: options.platform,
    buildPlatform: options.buildPlatform,
    target: options.target,
    namedContexts: new Set(contexts.keys()),
    contextIgnore: context.ignore,
    onFinding,
  });
  const graph = planned(text, ast, planOptions);
  const opening = { text, images, contexts, opened: new Map<string, Image>(), signal };
  const [stages = []] = await planReachable([{ graph, planOptions }], { ...opening, all });
  return { graph, stages };
}

function ladingError(error: unknown): LadingError {
  if (isLadingError(error)) return error;
  throw error;
}
