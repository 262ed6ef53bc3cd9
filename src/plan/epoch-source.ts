import type { AddInstruction, DockerfileAst } from '../dockerfile/ast.js';
import { expandWord } from '../dockerfile/expand.js';
import type { EscapeCharacter } from '../dockerfile/lex-word.js';
import { parseGitReference } from './git-reference.js';
import { globalArguments } from './global-scope.js';
import { type PlanOptions, type StageBlock, scopeInputs, splitStages } from './graph.js';
import { checkChecksum } from './instructions/copy.js';
import { namedContextOf } from './named-context.js';
import { placed, refusal } from './refusal.js';
import { sourceKind } from './remote-source.js';
import { type EpochSource, epochName, epochSeconds, invalidEpoch } from './source-date-epoch.js';

/**
 * Where SOURCE_DATE_EPOCH is to be looked up: `context`, a named context, or a stage that starts from nothing and fetches
 * one thing. `undefined` when it is a number, or is not given; what is found goes into the options of `planStages`.
 * @throws LadingError INVALID_VALUE for a value that is none of these, DOCKERFILE_SYNTAX for a stage that will not do
 */
export function epochSource(ast: DockerfileAst, options: PlanOptions): EpochSource | undefined {
  const { globals, blocks } = splitStages(ast);
  const inputs = scopeInputs(ast, blocks, options);
  const { args, buildArgs, epoch, epochRange } = globalArguments(globals, inputs);
  if (epoch === '' || epochSeconds(epoch) !== undefined) return undefined;
  if (epoch === 'context') return { kind: 'context' };
  const context = namedContextOf(epoch, options.targetPlatform, options.namedContexts);
  if (context !== undefined) return { kind: 'named', name: context };
  const stage = blocks.find(({ from }) => from.stageName === epoch.toLowerCase());
  if (stage !== undefined) {
    const env = new Map(args);
    env.delete(epochName);
    return stageSource(stage, { env, buildArgs, escape: inputs.escape });
  }
  const fail = (): never => {
    throw invalidEpoch(epoch);
  };
  return epochRange === undefined ? fail() : placed(epochRange, fail);
}

interface StageScope {
  /** All arguments of the file; the stage need not declare them. */
  readonly env: Map<string, string>;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly escape: EscapeCharacter;
}

function stageSource({ from, instructions }: StageBlock, scope: StageScope): EpochSource {
  const { env, buildArgs } = scope;
  const fail = (problem: string, range = from.range): Error =>
    refusal(range, `${epochName} stage ${problem}`, 'Write FROM scratch AS NAME, and one ADD of an address below it.');
  if (placed(from.range, () => expandWord(from.image, env, scope)) !== 'scratch') throw fail('must use FROM scratch');
  let source: EpochSource | undefined;
  for (const instruction of instructions) {
    const { kind, keyword, range } = instruction;
    if (kind === 'ARG') {
      for (const { name, default: written } of instruction.args) {
        const fallback = written === undefined ? undefined : placed(range, () => expandWord(written, env, scope));
        const value = buildArgs.get(name) ?? fallback;
        if (value !== undefined) env.set(name, value);
      }
    } else if (kind === 'ADD') {
      if (source !== undefined) throw fail('must contain exactly one remote ADD', range);
      source = placed(range, () => addedSource(instruction, scope));
      if (source === undefined) throw fail('source must be a single HTTP(S) or Git ADD', range);
    } else {
      throw fail(`does not meet source-only requirements: unsupported ${keyword.toLowerCase()} instruction`, range);
    }
  }
  if (source === undefined) throw fail('must contain exactly one remote ADD');
  return source;
}

function addedSource(instruction: AddInstruction, scope: StageScope): EpochSource | undefined {
  const { sources, heredocs, keepGitDir, range } = instruction;
  const [written] = sources;
  if (written === undefined || sources.length > 1 || heredocs.length > 0) return undefined;
  const source = expandWord(written, scope.env, scope);
  const checksum = expandWord(instruction.checksum ?? '', scope.env, scope) || undefined;
  if (checksum !== undefined) checkChecksum(checksum, [source]);
  const reference = parseGitReference(source, { checksum, keepGitDir });
  if (reference !== undefined) return { kind: 'git', reference, range };
  return sourceKind(source) === 'http' ? { kind: 'http', url: source, checksum, range } : undefined;
}
