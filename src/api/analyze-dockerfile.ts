import { resolve } from 'node:path';
import { type AnalyzeOptions, checkBuild, outlineBuild } from '../build/analyze.js';
import type { Diagnostic } from '../dockerfile/ast.js';
import { dockerfileError, formatExcerpt } from '../dockerfile/excerpt.js';
import { isLintRule, lintRules } from '../dockerfile/lint/rules.js';
import { parseDockerfile } from '../dockerfile/parser.js';
import type { LadingError } from '../errors/errors.js';
import type { DockerfileOutline } from '../plan/outline.js';
import { type BuildTarget, targetsOf } from '../plan/targets.js';
import { baseImages } from './base-images.js';
import { type ContextSource, dockerfileAlone } from './build-context.js';
import { type BuildImageOptions, platformsOf } from './build-image.js';
import { contextIgnore, type DockerfileText, requireDirectory } from './context-files.js';
import { namedContexts } from './named-contexts.js';

/** Where a Dockerfile is read from, as for a build. */
export type DockerfileSource = ContextSource;

/**
 * What a Dockerfile is planned with, as for a build. Of several platforms the first counts. Configs of base images are
 * read from the store or their registry; layers are not fetched, and nothing is written.
 */
export type AnalyzeDockerfileOptions = DockerfileSource &
  Pick<
    BuildImageOptions,
    'store' | 'host' | 'target' | 'platforms' | 'buildArgs' | 'buildContexts' | 'pull' | 'registry' | 'signal'
  >;

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
  const dockerfile = await dockerfileAlone(options);
  const { text, file } = dockerfile;
  const { warnings, error } = await checkBuild(await analyzeOptions(dockerfile, options));
  const shown = warnings.map(warning => ({
    ...warning,
    description: isLintRule(warning.rule) ? lintRules[warning.rule].description : '',
    excerpt: formatExcerpt(text, warning.range),
  }));
  return { file, text, warnings: shown, ...(error === undefined ? {} : { error }) };
}

/**
 * What the target takes: arguments with the values they have, secrets, agents and caches. Nothing is built.
 * @throws LadingError as a build does before its first step
 */
export async function outlineDockerfile(options: AnalyzeDockerfileOptions): Promise<DockerfileOutline> {
  return await outlineBuild(await analyzeOptions(await dockerfileAlone(options), options));
}

/**
 * The stages of a Dockerfile. No base image is asked for.
 * @throws LadingError IO when there is no Dockerfile, DOCKERFILE_SYNTAX
 */
export async function listTargets(options: DockerfileSource): Promise<BuildTarget[]> {
  const { text, file } = await dockerfileAlone(options);
  const { ast, diagnostics } = parseDockerfile(text, { file });
  const error = diagnostics.find(({ severity }) => severity === 'error');
  if (error !== undefined) throw dockerfileError(text, error);
  return targetsOf(ast);
}

async function analyzeOptions(dockerfile: DockerfileText, options: AnalyzeDockerfileOptions): Promise<AnalyzeOptions> {
  const { store, context, registry, signal } = options;
  if (context !== undefined) await requireDirectory(context);
  const access = { store, registry, signal, configsOnly: true };
  const images = baseImages({ ...access, pull: options.pull ?? 'missing' });
  const directory = options.directory ?? context ?? '.';
  return {
    dockerfile,
    context: {
      directory: context === undefined ? undefined : resolve(context),
      ignore: context === undefined ? undefined : await contextIgnore(context, { dockerfile: dockerfile.path }),
    },
    images,
    contexts: await namedContexts(options.buildContexts ?? {}, { ...access, images, directory }),
    platform: platformsOf(options)[0],
    buildPlatform: options.host,
    target: options.target,
    buildArgs: new Map(Object.entries(options.buildArgs ?? {})),
    signal,
  };
}
