import type { ArgInstruction, KeyValue, PairsInstruction } from '../ast.js';
import { refuseFlags } from '../flags.js';
import { Problem } from '../problem.js';
import type { Placement, Statement } from '../statement.js';
import { makeNode, requireArguments } from './node.js';

/** `ENV name=value...`, `LABEL name=value...` and the old `ENV name value` */
export function parsePairs(kind: 'ENV' | 'LABEL', statement: Statement, place: Placement): PairsInstruction {
  refuseFlags(statement.flags);
  requireArguments(statement);
  const pairs: KeyValue[] = [];
  for (let i = 0; i < statement.words.length; i += 3) {
    const [key, value, separator] = statement.words.slice(i, i + 3) as [string, string, string];
    requireName(kind, key);
    pairs.push({ key, value, legacy: separator === '' });
  }
  return makeNode(kind, statement, place, { pairs });
}

/** `ARG name`, `ARG name=default`, several of them */
export function parseArg(statement: Statement, place: Placement): ArgInstruction {
  requireArguments(statement);
  const args = statement.words.map(word => {
    const equals = word.indexOf('=');
    if (equals < 0) return { name: word };
    requireName('ARG', word.slice(0, equals));
    return { name: word.slice(0, equals), default: word.slice(equals + 1) };
  });
  return makeNode('ARG', statement, place, { args });
}

function requireName(kind: string, name: string): void {
  if (name === '') throw new Problem(`${kind} names can not be blank`, 'Write a name before the =.');
}
