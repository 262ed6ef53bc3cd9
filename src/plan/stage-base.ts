import type { FromInstruction } from '../dockerfile/ast.js';
import { expandWord, variableUsage } from '../dockerfile/expand.js';
import type { EscapeCharacter } from '../dockerfile/lex-word.js';
import { isLadingError, type SourceRange } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';
import { type Platform, parsePlatform } from '../oci/platform.js';
import { parseReference } from '../oci/reference.js';
import type { GlobalScope } from './global-scope.js';
import { isNamedContext } from './named-context.js';
import { placed, refusal } from './refusal.js';
import type { StageBase } from './step.js';

/** What FROM comes to once its variables are replaced. */
export interface ResolvedFrom {
  readonly base: StageBase;
  readonly platform: Platform;
  readonly fromTitle: string;
  /** A named context takes the place of the whole stage. */
  readonly overridden: boolean;
}

export interface FromContext {
  readonly scope: GlobalScope;
  readonly escape: EscapeCharacter;
  /** Names of the stages before, in lower case. */
  readonly names: ReadonlyMap<string, number>;
  readonly bases: readonly ResolvedFrom[];
  readonly options: {
    readonly targetPlatform: Platform;
    readonly buildPlatform: Platform;
    readonly namedContexts: ReadonlySet<string>;
  };
}

/** @throws LadingError DOCKERFILE_SYNTAX, BAD_SUBSTITUTION with the place */
export function baseOfStage(from: FromInstruction, context: FromContext): ResolvedFrom {
  const { scope, names, bases, options } = context;
  const { range, stageName } = from;
  const image = placed(range, () => expandWord(from.image, scope.args, context));
  if (image === '') {
    const hint = 'Give the ARG a default before the first FROM, or pass it with --build-arg.';
    throw refusal(range, `base name (${from.image}) should not be blank`, hint);
  }
  const wanted = from.platform ? platformOf(from, from.platform, context) : undefined;
  const flag = from.platform
    ? `--platform=${placed(range, () => expandWord(from.platform!, scope.args, context))} `
    : '';
  const fromTitle = `FROM ${flag}${image}${from.stageNameWritten === undefined ? '' : ` AS ${from.stageNameWritten}`}`;
  const platform = wanted ?? options.targetPlatform;
  if (stageName !== undefined && isNamedContext(stageName, platform, options.namedContexts)) {
    return { base: { kind: 'image', reference: stageName }, platform, fromTitle, overridden: true };
  }
  // Stage names are looked up as they are written, and names are kept in lower case: `FROM Base` is never a stage.
  const stage = names.get(image);
  if (stage !== undefined) {
    return { base: { kind: 'stage', stage }, platform: bases[stage]!.platform, fromTitle, overridden: false };
  }
  // Nothing has a platform of its own.
  if (image === 'scratch') {
    return { base: { kind: 'scratch' }, platform: options.targetPlatform, fromTitle, overridden: false };
  }
  checkReference(image, range, { namedContexts: options.namedContexts, platform, stages: names.keys() });
  return { base: { kind: 'image', reference: image }, platform, fromTitle, overridden: false };
}

/** What a name can mean that is not the one of an image. */
export interface KnownNames {
  readonly namedContexts: ReadonlySet<string>;
  /** What the context is to be for. */
  readonly platform: Platform;
  readonly stages: Iterable<string>;
}

/**
 * Refuses a name that can be neither a named context nor an image.
 * @throws LadingError DOCKERFILE_SYNTAX
 */
export function checkReference(name: string, range: SourceRange, known: KnownNames): void {
  if (isNamedContext(name, known.platform, known.namedContexts)) return;
  try {
    parseReference(name);
  } catch (error) {
    if (!isLadingError(error)) throw error;
    const stage = nearest(name, known.stages);
    const hint = stage === undefined ? error.hint : `An earlier stage is called ${stage}.`;
    throw refusal(range, `failed to parse stage name ${JSON.stringify(name)}: ${error.message}`, hint);
  }
}

function platformOf(from: FromInstruction, written: string, context: FromContext): Platform {
  const { scope, options } = context;
  const usage = variableUsage();
  const text = placed(from.range, () => expandWord(written, scope.args, { escape: context.escape, usage }));
  const meant = [...usage.unset].map(name => nearest(name, scope.args.keys())).find(name => name !== undefined);
  const hint =
    meant === undefined ? 'Write os/architecture[/variant], for example linux/arm64.' : `Did you mean $${meant}?`;
  if (text === '') throw refusal(from.range, `empty platform value from expression ${written}`, hint);
  try {
    return parsePlatform(text, options.buildPlatform);
  } catch (error) {
    if (!isLadingError(error)) throw error;
    throw refusal(from.range, `failed to parse platform ${written}: ${error.message}`, hint);
  }
}
