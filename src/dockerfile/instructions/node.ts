import type { Instruction } from '../ast.js';
import { Problem } from '../problem.js';
import type { Placement, Statement } from '../statement.js';

/** A node: the fields that all instructions have, and its own. */
export function makeNode<K extends Instruction['kind'], const T extends object>(
  kind: K,
  statement: Statement,
  place: Placement,
  own: T,
) {
  const { original, keyword, flags, words, json } = statement;
  const { range, heredocs, comments } = place;
  return { kind, range, original, keyword, flags, words, json, heredocs, comments, ...own };
}

/** @throws Problem */
export function requireArguments(statement: Statement): void {
  if (statement.words.length === 0) throw new Problem(`${statement.name} requires at least one argument`);
}

/** @throws Problem */
export function requireOneArgument(statement: Statement): string {
  const [value, ...more] = statement.words;
  if (value === undefined || more.length > 0) throw new Problem(`${statement.name} requires exactly one argument`);
  return value;
}
