import type { ValueInstruction, ValuesInstruction } from '../ast.js';
import { refuseFlags } from '../flags.js';
import { trimSpace } from '../go-text.js';
import { Problem } from '../problem.js';
import type { Placement, Statement } from '../statement.js';
import { makeNode, requireArguments, requireOneArgument } from './node.js';

/** `USER`, `WORKDIR`, `STOPSIGNAL` and `MAINTAINER`: the rest of the line is one value */
export function parseValue(kind: ValueInstruction['kind'], statement: Statement, place: Placement): ValueInstruction {
  const value = requireOneArgument(statement);
  if (kind !== 'STOPSIGNAL') refuseFlags(statement.flags);
  return makeNode(kind, statement, place, { value });
}

/** `EXPOSE port...`; the ports are sorted as texts, before anything is expanded */
export function parseExpose(statement: Statement, place: Placement): ValuesInstruction {
  requireArguments(statement);
  refuseFlags(statement.flags);
  return makeNode('EXPOSE', statement, place, { values: statement.words.toSorted() });
}

/** `VOLUME path...` */
export function parseVolume(statement: Statement, place: Placement): ValuesInstruction {
  requireArguments(statement);
  refuseFlags(statement.flags);
  const values = statement.words.map(trimSpace);
  if (values.includes('')) throw new Problem('VOLUME specified can not be an empty string');
  return makeNode('VOLUME', statement, place, { values });
}
