import type { ArgInstruction } from '../dockerfile/ast.js';
import { expandWord } from '../dockerfile/expand.js';
import type { EscapeCharacter } from '../dockerfile/lex-word.js';
import { formatPlatform, formatPlatformFull, type Platform } from '../oci/platform.js';
import { checkBuilderArgs, isBuilderArg } from './builder-args.js';
import { placed } from './refusal.js';
import { parseSourceDateEpoch } from './source-date-epoch.js';

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
  /** Lower-case names of contexts and stages. */
  readonly otherNames: ReadonlySet<string>;
}

/** @throws LadingError BAD_SUBSTITUTION with the place; UNSUPPORTED for build arguments; INVALID_VALUE for SOURCE_DATE_EPOCH */
export function globalScope(instructions: readonly ArgInstruction[], inputs: GlobalScopeInputs): GlobalScope {
  checkBuilderArgs(inputs.buildArgs);
  const buildArgs = new Map(inputs.buildArgs);
  const args = predefinedArgs(inputs);
  let epochRange: ArgInstruction['range'] | undefined;
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
  const text = buildArgs.get(epochName) ?? args.get(epochName) ?? '';
  const parse = (): string | undefined => parseSourceDateEpoch(text, inputs.otherNames);
  const sourceDateEpoch = epochRange === undefined ? parse() : placed(epochRange, parse);
  // A stage that declares it sees the time itself; one that the caller has emptied is as good as not declared.
  for (const map of [args, buildArgs]) {
    if (sourceDateEpoch !== undefined && map.has(epochName)) map.set(epochName, sourceDateEpoch);
    else if (buildArgs.has(epochName)) map.delete(epochName);
  }
  return { args, buildArgs, sourceDateEpoch };
}

const epochName = 'SOURCE_DATE_EPOCH';

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
