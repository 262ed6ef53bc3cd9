import type { FromInstruction } from '../ast.js';
import { flagTables, parseFlags } from '../flags.js';
import { quote } from '../go-text.js';
import { Problem } from '../problem.js';
import type { Placement, Statement } from '../statement.js';
import { makeNode } from './node.js';

/** `FROM [--platform=P] image [AS name]` */
export function parseFrom(statement: Statement, place: Placement): FromInstruction {
  const [image, asKeyword, stageNameWritten] = statement.words;
  const named = statement.words.length === 3 && asKeyword!.toLowerCase() === 'as';
  if (image === undefined || !(named || statement.words.length === 1)) throw wrongArguments(statement.words);
  const stageName = named ? stageNameWritten!.toLowerCase() : undefined;
  if (stageName !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(stageName)) {
    throw new Problem(
      `invalid name for build stage: ${quote(stageNameWritten!)}, name can't start with a number or contain symbols`,
      'A stage name starts with a letter and goes on with letters, digits, "-", "_" and ".".',
    );
  }
  const { platform } = parseFlags(statement.flags, flagTables.FROM);
  return named
    ? makeNode('FROM', statement, place, { image, platform, stageName, stageNameWritten, asKeyword })
    : makeNode('FROM', statement, place, { image, platform });
}

function wrongArguments(words: readonly string[]): Problem {
  const hint = words.some(word => word.startsWith('#'))
    ? 'A # behind an instruction is part of it: put the comment on a line of its own.'
    : 'Write FROM image, or FROM image AS name.';
  return new Problem('FROM requires either one or three arguments', hint);
}
