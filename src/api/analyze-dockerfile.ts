import { type AnalyzeOptions, checkBuild, outlineBuild } from '../build/analyze.js';
import { findEpoch } from '../build/find-epoch.js';
import type { Diagnostic } from '../dockerfile/ast.js';
import { dockerfileError, formatExcerpt } from '../dockerfile/excerpt.js';
import { isLintRule, lintRules } from '../dockerfile/lint/rules.js';
import { parseDockerfile } from '../dockerfile/parser.js';
import type { LadingError } from '../errors/errors.js';
import type { DockerfileOutline } from '../plan/outline.js';
import { type BuildTarget, targetsOf } from '../plan/targets.js';
import { baseImages } from './base-images.js';
import { type ContextSource, keepsGitDir, openContext, openDockerfile } from './build-context.js';
import { type BuildImageOptions, platformsOf } from './build-image.js';
import { namedContexts } from './named-contexts.js';
import { openWorkspace, type Workspace } from './workspace.js';

/** Where a Dockerfile is read from, as for a build. */
export type DockerfileSource = ContextSource;

/** What it takes to get at a Dockerfile. The store keeps what is fetched from the web. */
export type ReadDockerfileOptions = DockerfileSource &
  Pick<BuildImageOptions, 'store' | 'secrets' | 'env' | 'pull' | 'registry' | 'signal'>;

/**
 * What a Dockerfile is planned with, as for a build. Of several platforms the first counts. Configs of base images are
 * read from the store or their registry; layers are not fetched, and no image is written.
 */
export type AnalyzeDockerfileOptions = ReadDockerfileOptions &
  Pick<BuildImageOptions, 'host' | 'target' | 'platforms' | 'buildArgs' | 'buildContexts'>;

/** Something that a lint rule found, ready to be shown. */
export interface DockerfileWarning extends Diagnostic {
  /** What the rule is about. */
  readonly description: string;
  /** The lines concerned with some around them. */
  readonly excerpt: string;
}

export interface DockerfileCheck {
  /** The Dockerfile as messages call it, and its text. */
  readonly file: string;
  readonly text: string;
  /** In order of the lines. */
  readonly warnings: readonly DockerfileWarning[];
  /** Why it cannot be built, when it cannot; the warnings are then those up to there. */
  readonly error?: LadingError | undefined;
}

/**
 * Applies every lint rule, to the target and what it needs or, without a target, to all stages. Nothing is built.
 * @throws LadingError IO when there is no Dockerfile
 */
export async function checkDockerfile(options: AnalyzeDockerfileOptions): Promise<DockerfileCheck> {
  return await withWorkspace(options, async workspace => {
    const analyzed = await analyzeOptions(options, workspace);
    const { text, file } = analyzed.dockerfile;
    const { warnings, error } = await checkBuild(analyzed);
    const shown = warnings.map(warning => ({
      ...warning,
      description: isLintRule(warning.rule) ? lintRules[warning.rule].description : '',
      excerpt: formatExcerpt(text, warning.range),
    }));
    return { file, text, warnings: shown, ...(error === undefined ? {} : { error }) };
  });
}

/**
 * What the target takes: arguments with the values they have, secrets, agents and caches. Nothing is built.
 * @throws LadingError as a build does before its first step
 */
export async function outlineDockerfile(options: AnalyzeDockerfileOptions): Promise<DockerfileOutline> {
  return await withWorkspace(options, async workspace => outlineBuild(await analyzeOptions(options, workspace)));
}

/**
 * The stages of a Dockerfile. No base image is asked for.
 * @throws LadingError IO when there is no Dockerfile, DOCKERFILE_SYNTAX
 */
export async function listTargets(options: ReadDockerfileOptions): Promise<BuildTarget[]> {
  const { text, file } = await withWorkspace(options, async workspace =>
    openDockerfile(options, { ...workspace, signal: options.signal }),
  );
  const { ast, diagnostics } = parseDockerfile(text, { file });
  const error = diagnostics.find(({ severity }) => severity === 'error');
  if (error !== undefined) throw dockerfileError(text, error);
  return targetsOf(ast);
}

async function withWorkspace<T>(options: ReadDockerfileOptions, use: (workspace: Workspace) => Promise<T>): Promise<T> {
  const workspace = await openWorkspace(options);
  try {
    return await use(workspace);
  } finally {
    await workspace.close();
  }
}

async function analyzeOptions(options: AnalyzeDockerfileOptions, workspace: Workspace): Promise<AnalyzeOptions> {
  const { store, registry, signal } = options;
  const { context, dockerfile } = await openContext(options, {
    ...workspace,
    signal,
    keepGitDir: keepsGitDir(options.buildArgs),
  });
  const access = { store, registry, signal, configsOnly: true };
  const images = baseImages({ ...access, pull: options.pull ?? 'missing' });
  const directory = options.directory ?? context.directory ?? '.';
  const { host } = options;
  const contexts = await namedContexts(options.buildContexts ?? {}, {
    ...workspace,
    ...access,
    images,
    host,
    directory,
  });
  return {
    dockerfile,
    context,
    images,
    contexts,
    findEpoch: (source, call) => findEpoch(source, { ...workspace, ...call, context, contexts }),
    platform: platformsOf(options)[0],
    buildPlatform: host,
    target: options.target,
    buildArgs: new Map(Object.entries(options.buildArgs ?? {})),
    signal,
  };
}
