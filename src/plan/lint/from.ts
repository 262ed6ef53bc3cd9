import type { ArgInstruction, FromInstruction } from '../../dockerfile/ast.js';
import { expandWord, type VariableUsage, variableUsage } from '../../dockerfile/expand.js';
import { quote } from '../../dockerfile/go-text.js';
import { type Finding, finding } from '../../dockerfile/lint/finding.js';
import { isLadingError } from '../../errors/errors.js';
import { type Platform, parsePlatform } from '../../oci/platform.js';
import { parseReference } from '../../oci/reference.js';
import { closestName } from '../closest-name.js';
import { type GlobalScope, type GlobalScopeInputs, globalScope } from '../global-scope.js';

export interface FromLintInputs extends GlobalScopeInputs {
  readonly scope: GlobalScope;
  /** The ARGs before the first FROM. */
  readonly globals: readonly ArgInstruction[];
}

/** UndefinedArgInFrom, RedundantTargetPlatform and FromPlatformFlagConstDisallowed. */
export function lintFrom(from: FromInstruction, inputs: FromLintInputs): Finding[] {
  const image = expanded(from.image, inputs);
  const findings = undeclaredArgs(from, image.usage, inputs);
  // FROM is refused for its image then, and nothing is said of the rest.
  if (!image.text || !from.platform) return findings;
  const platform = expanded(from.platform, inputs);
  const more = undeclaredArgs(from, platform.usage, inputs);
  return [...findings, ...more, ...lintPlatform(from, platform, inputs)];
}

interface Expanded {
  /** Absent for a word that is refused. */
  readonly text?: string | undefined;
  readonly usage: VariableUsage;
}

function expanded(word: string, { scope, escape: escapeCharacter }: FromLintInputs): Expanded {
  const usage = variableUsage();
  try {
    return { text: expandWord(word, scope.args, { escape: escapeCharacter, usage }), usage };
  } catch (error) {
    if (!isLadingError(error)) throw error;
    return { usage };
  }
}

function undeclaredArgs(
  from: FromInstruction,
  { unset }: VariableUsage,
  { scope, globals }: FromLintInputs,
): Finding[] {
  const declared = globals.flatMap(({ args }) => args.map(({ name }): [string, undefined] => [name, undefined]));
  const known = new Map<string, unknown>([...scope.args, ...declared]);
  const names = [...unset].filter(name => !known.has(name));
  return names.map(name => {
    const meant = closestName(name, known);
    const suggestion = meant === undefined ? '' : ` (did you mean ${meant}?)`;
    const message = `FROM argument '${name}' is not declared${suggestion}`;
    return finding('UndefinedArgInFrom', from, message, `Write ARG ${name} before the first FROM.`);
  });
}

function lintPlatform(from: FromInstruction, { text, usage }: Expanded, inputs: FromLintInputs): Finding[] {
  const { platform: written = '', stageName = '' } = from;
  if (usage.set.size === 1 && usage.unset.size === 0 && usage.set.has('TARGETPLATFORM')) {
    if (text !== inputs.scope.args.get('TARGETPLATFORM')) return [];
    const message = `Setting platform to predefined ${written} in FROM is redundant as this is the default behavior`;
    return [finding('RedundantTargetPlatform', from, message, 'Leave --platform out.')];
  }
  if (usage.set.size + usage.unset.size > 0 || text === undefined) return [];
  const platform = parsedPlatform(text, inputs);
  if (platform === undefined || stageName.includes(platform.os) || stageName.includes(platform.architecture)) return [];
  const message = `FROM --platform flag should not use constant value ${quote(text)}`;
  const hint = 'Choose the platform when building, or name the stage after it.';
  return [finding('FromPlatformFlagConstDisallowed', from, message, hint)];
}

function parsedPlatform(text: string, { buildPlatform }: FromLintInputs): Platform | undefined {
  try {
    return parsePlatform(text, buildPlatform);
  } catch (error) {
    if (!isLadingError(error)) throw error;
    return undefined;
  }
}

/** InvalidDefaultArgInFrom: a file whose defaults do not build is of use only to those who know what to pass. */
export function lintDefaultArgs(
  froms: readonly FromInstruction[],
  globals: readonly ArgInstruction[],
  inputs: GlobalScopeInputs,
): Finding[] {
  const findings: Finding[] = [];
  try {
    const { args } = defaultScope(globals, inputs);
    for (const from of froms) {
      if (isReference(expandWord(from.image, args, inputs))) continue;
      const message = `Default value for ARG ${from.image} results in empty or invalid base image name`;
      findings.push(finding('InvalidDefaultArgInFrom', from, message, 'Give the ARG a default that names an image.'));
    }
  } catch (error) {
    // The file cannot do without the arguments, and asks for them itself.
    if (!isLadingError(error)) throw error;
  }
  return findings;
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch (error) {
    if (!isLadingError(error)) throw error;
    return false;
  }
}

/** The arguments without those of the caller, predefined ones aside. */
function defaultScope(globals: readonly ArgInstruction[], inputs: GlobalScopeInputs): GlobalScope {
  const declared = new Set(globals.flatMap(({ args }) => args.map(arg => arg.name)));
  const buildArgs = new Map([...inputs.buildArgs].filter(([name]) => !declared.has(name)));
  return globalScope(globals, { ...inputs, buildArgs });
}
