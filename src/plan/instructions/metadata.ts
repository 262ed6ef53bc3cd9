import type { PairsInstruction, ValuesInstruction } from '../../dockerfile/ast.js';
import { expandWords } from '../../dockerfile/expand.js';
import { listText, pairsText } from '../history.js';
import { lintPairs } from '../lint/pairs.js';
import { lintPort } from '../lint/ports.js';
import { parseExpose } from '../parse-expose.js';
import { invalidValue } from '../refusal.js';
import { expand, type StageDraft, type StepBody, setEnv } from '../stage-draft.js';

/** ENV: all words see the environment before the instruction. */
export function lowerEnv(instruction: PairsInstruction, draft: StageDraft): StepBody {
  const pairs = expandPairs(instruction, draft);
  for (const [name, value] of pairs) setEnv(draft, name, value);
  return { kind: 'config', createdBy: pairsText('ENV', pairs) };
}

export function lowerLabel(instruction: PairsInstruction, draft: StageDraft): StepBody {
  const pairs = expandPairs(instruction, draft);
  for (const [name, value] of pairs) draft.labels.set(name, value);
  return { kind: 'config', createdBy: pairsText('LABEL', pairs) };
}

/** EXPOSE: the one instruction whose words may become several when they are expanded. */
export function lowerExpose(instruction: ValuesInstruction, draft: StageDraft): StepBody {
  // Variables that are not set are no finding here: BuildKit says nothing of them either.
  const words = instruction.values.flatMap(word => expandWords(word, draft.scope.env, { escape: draft.escape }));
  draft.report(words.flatMap(word => lintPort(word, instruction)));
  const ports = parseExpose(words);
  for (const port of ports) draft.exposedPorts.add(port);
  return { kind: 'config', createdBy: listText('EXPOSE', ports) };
}

/** VOLUME: paths go into the image as they are, and files below them are kept. */
export function lowerVolume({ values }: ValuesInstruction, draft: StageDraft): StepBody {
  const paths = values.map(word => expand(draft, word));
  if (paths.includes(''))
    throw invalidValue('volume', '', 'VOLUME specified can not be an empty string', 'Is a variable not set?');
  for (const path of paths) draft.volumes.add(path);
  return { kind: 'config', createdBy: listText('VOLUME', paths) };
}

function expandPairs(instruction: PairsInstruction, draft: StageDraft): Array<[name: string, value: string]> {
  const pairs = instruction.pairs.map(({ key, value }): [string, string] => [expand(draft, key), expand(draft, value)]);
  const names = pairs.map(([name]) => name);
  draft.report(lintPairs(instruction, names));
  return pairs;
}
