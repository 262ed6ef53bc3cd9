import type { ArgInstruction } from '../dockerfile/ast.js';
import { expandWord } from '../dockerfile/expand.js';
import type { EscapeCharacter } from '../dockerfile/lex-word.js';
import type { SourceRange } from '../errors/errors.js';
import { formatPlatform, formatPlatformFull, type Platform } from '../oci/platform.js';
import { checkBuilderArgs, isBuilderArg } from './builder-args.js';
import { placed } from './refusal.js';
import { epochName, epochSeconds, type FoundEpoch, invalidEpoch } from './source-date-epoch.js';

/** What FROM lines expand to, and what ARG in a stage takes values from. */
export interface GlobalScope {
  /** Predefined platform arguments and the ARGs before the first FROM. */
  readonly args: ReadonlyMap<string, string>;
  /** What the caller gives, by name. Wins over defaults, and is never expanded. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Whole seconds since 1970. */
  readonly sourceDateEpoch?: string | undefined;
}

export interface GlobalScopeInputs {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly targetPlatform: Platform;
  readonly buildPlatform: Platform;
  /** Name of the stage that is built, '' when it has none. */
  readonly targetStage: string;
  readonly escape: EscapeCharacter;
  /** What was found where SOURCE_DATE_EPOCH says, when that is no number. */
  readonly foundEpoch?: FoundEpoch | undefined;
}

/** The arguments before the first FROM, with SOURCE_DATE_EPOCH as it is written. */
export interface GlobalArguments {
  readonly args: Map<string, string>;
  readonly buildArgs: Map<string, string>;
  /** Empty when nobody gives one. */
  readonly epoch: string;
  /** Of the ARG, when SOURCE_DATE_EPOCH has one there. */
  readonly epochRange?: SourceRange | undefined;
}

/** @throws LadingError BAD_SUBSTITUTION with the place; UNSUPPORTED for build arguments */
export function globalArguments(instructions: readonly ArgInstruction[], inputs: GlobalScopeInputs): GlobalArguments {
  checkBuilderArgs(inputs.buildArgs);
  const buildArgs = new Map(inputs.buildArgs);
  const args = predefinedArgs(inputs);
  let epochRange: SourceRange | undefined;
  for (const { args: declared, range } of instructions) {
    for (const { name, default: written } of declared) {
      const value =
        buildArgs.get(name) ??
        (written === undefined ? undefined : placed(range, () => expandWord(written, args, inputs)));
      if (value === undefined) continue;
      args.set(name, value);
      if (name === epochName) epochRange = range;
    }
  }
  return { args, buildArgs, epoch: buildArgs.get(epochName) ?? args.get(epochName) ?? '', epochRange };
}

/** @throws LadingError BAD_SUBSTITUTION with the place; INVALID_VALUE for SOURCE_DATE_EPOCH */
export function globalScope(instructions: readonly ArgInstruction[], inputs: GlobalScopeInputs): GlobalScope {
  const { args, buildArgs, epoch, epochRange } = globalArguments(instructions, inputs);
  const seconds = (): string | undefined => {
    const written = epochSeconds(epoch);
    if (epoch === '' || written !== undefined) return written;
    if (inputs.foundEpoch === undefined) throw invalidEpoch(epoch);
    return inputs.foundEpoch.seconds?.toString();
  };
  const sourceDateEpoch = epochRange === undefined ? seconds() : placed(epochRange, seconds);
  const isGiven = epoch !== '' || buildArgs.has(epochName);
  // A stage that declares it sees the time itself; one that comes to nothing is as good as not declared.
  for (const map of [args, buildArgs]) {
    if (sourceDateEpoch === undefined && isGiven) map.delete(epochName);
    else if (sourceDateEpoch !== undefined && map.has(epochName)) map.set(epochName, sourceDateEpoch);
  }
  return { args, buildArgs, sourceDateEpoch };
}

const predefinedNames = new Set(
  ['BUILD', 'TARGET'].flatMap(side => ['PLATFORM', 'OS', 'OSVERSION', 'ARCH', 'VARIANT'].map(name => side + name)),
).add('TARGETSTAGE');

/** Whether a build argument has a use that no ARG needs to announce; proxy settings aside. */
export function isBuiltinArg(name: string): boolean {
  return predefinedNames.has(name) || name === epochName || isBuilderArg(name);
}

function predefinedArgs(inputs: GlobalScopeInputs): Map<string, string> {
  const { buildArgs, targetPlatform: target, buildPlatform: build, targetStage } = inputs;
  const values = new Map([
    ['BUILDPLATFORM', formatPlatform(build)],
    ['BUILDOS', build.os],
    ['BUILDOSVERSION', build['os.version'] ?? ''],
    ['BUILDARCH', build.architecture],
    ['BUILDVARIANT', build.variant ?? ''],
    ['TARGETPLATFORM', formatPlatformFull(target)],
    ['TARGETOS', target.os],
    ['TARGETOSVERSION', target['os.version'] ?? ''],
    ['TARGETARCH', target.architecture],
    ['TARGETVARIANT', target.variant ?? ''],
    ['TARGETSTAGE', targetStage || 'default'],
  ]);
  for (const name of values.keys()) values.set(name, buildArgs.get(name) ?? values.get(name)!);
  return values;
}
