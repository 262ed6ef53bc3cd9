import { dockerfileError } from '../../src/dockerfile/excerpt.js';
import { ignoreMatcher } from '../../src/dockerfile/ignore.js';
import { applyChecks, type CheckedFindings, checkOptionsOf } from '../../src/dockerfile/lint/apply-checks.js';
import type { Finding } from '../../src/dockerfile/lint/finding.js';
import { lintDockerfile } from '../../src/dockerfile/lint/lint-dockerfile.js';
import { parseDockerfile } from '../../src/dockerfile/parser.js';
import { isLadingError, type LadingError } from '../../src/errors/errors.js';
import type { ImageConfig } from '../../src/oci/config.js';
import { parsePlatform } from '../../src/oci/platform.js';
import { type PlanOptions, planStages, type StageGraph } from '../../src/plan/graph.js';
import { planStage, scratchState, stateFromImage } from '../../src/plan/lower.js';
import type { StagePlan } from '../../src/plan/step.js';

/** Plan options as a test writes them. */
export interface WrittenOptions {
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly targetPlatform?: string;
  readonly buildPlatform?: string;
  readonly target?: string;
  readonly namedContexts?: readonly string[];
  readonly dockerignore?: string;
  readonly foundEpoch?: PlanOptions['foundEpoch'];
}

const linux = { os: 'linux', architecture: 'amd64' };

export const plainBase: ImageConfig = {
  ...linux,
  config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['sh'] },
  rootfs: { type: 'layers', diff_ids: [] },
};

export function planOptions(written: WrittenOptions = {}): PlanOptions {
  const { buildArgs = {}, targetPlatform = 'linux/amd64', buildPlatform = 'linux/amd64', target } = written;
  return {
    buildArgs: new Map(Object.entries(buildArgs)),
    targetPlatform: parsePlatform(targetPlatform, linux),
    buildPlatform: parsePlatform(buildPlatform, linux),
    target,
    namedContexts: new Set(written.namedContexts),
    foundEpoch: written.foundEpoch,
    contextIgnore: written.dockerignore === undefined ? undefined : ignoreMatcher(written.dockerignore),
  };
}

export function graphOf(text: string, written?: WrittenOptions): StageGraph {
  const { ast, diagnostics } = parseDockerfile(text, { file: 'Dockerfile' });
  const error = diagnostics.find(diagnostic => diagnostic.severity === 'error');
  if (error !== undefined) throw new Error(`does not parse: ${error.message}`);
  return planStages(ast, planOptions(written));
}

/** Plans the target and all that it needs, every image being `base`. */
export function planAll(
  text: string,
  written?: WrittenOptions,
  base: ImageConfig = plainBase,
): { graph: StageGraph; plans: ReadonlyMap<number, StagePlan> } {
  const graph = graphOf(text, written);
  return { graph, plans: planReachable(graph, planOptions(written), base) };
}

function planReachable(graph: StageGraph, options: PlanOptions, base: ImageConfig): ReadonlyMap<number, StagePlan> {
  const plans = new Map<number, StagePlan>();
  const visit = (index: number): StagePlan => {
    const known = plans.get(index);
    if (known !== undefined) return known;
    const stage = graph.stages[index]!;
    const state =
      stage.base.kind === 'stage'
        ? visit(stage.base.stage).state
        : stage.base.kind === 'scratch'
          ? scratchState(stage.platform)
          : stateFromImage(base, stage.platform);
    const plan = planStage(graph, index, { state, fromImage: stage.base.kind === 'image' }, options);
    plan.stages.forEach(visit);
    plans.set(index, plan);
    return plan;
  };
  visit(graph.target);
  return plans;
}

/** What is to be shown of all that the lint rules find, and what the Dockerfile is refused for. */
export function lintAll(
  text: string,
  written?: WrittenOptions,
  base: ImageConfig = plainBase,
): CheckedFindings & { readonly error?: LadingError | undefined } {
  const { ast, diagnostics } = parseDockerfile(text, { file: 'Dockerfile' });
  const findings: Finding[] = [...diagnostics, ...lintDockerfile(ast, diagnostics)];
  const options = { ...planOptions(written), onFinding: (finding: Finding) => findings.push(finding) };
  const plan = () => {
    const fault = diagnostics.find(({ severity }) => severity === 'error');
    if (fault !== undefined) throw dockerfileError(text, fault);
    planReachable(planStages(ast, options), options, base);
  };
  const error = failureOrNone(plan);
  return { ...applyChecks(findings, checkOptionsOf(ast, options.buildArgs.get('BUILDKIT_DOCKERFILE_CHECK'))), error };
}

function failureOrNone(work: () => void): LadingError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!isLadingError(error)) throw error;
    return error;
  }
}

/** The plan of the target. */
export function planTarget(text: string, written?: WrittenOptions, base?: ImageConfig): StagePlan {
  const { graph, plans } = planAll(text, written, base);
  return plans.get(graph.target)!;
}

/** The failure of `work`, which must be one of ours. */
export function failureOf(work: () => unknown): LadingError {
  try {
    work();
  } catch (error) {
    return error as LadingError;
  }
  throw new Error('it did not fail');
}
