import type { Heredoc, Instruction, OnbuildInstruction } from '../ast.js';
import { refuseFlags } from '../flags.js';
import { Problem } from '../problem.js';
import type { Placement, Statement } from '../statement.js';
import { makeNode, requireArguments } from './node.js';

/** `ONBUILD instruction`; `parseInner` reads the instruction, so that a trigger that can never work is found now */
export function parseOnbuild(
  statement: Statement,
  place: Placement,
  parseInner: (statement: Statement, place: Placement) => Instruction,
): OnbuildInstruction {
  requireArguments(statement);
  refuseFlags(statement.flags);
  const keyword = statement.words[0]!.toUpperCase();
  if (keyword === 'ONBUILD') {
    throw new Problem("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", 'Write ONBUILD once.');
  }
  if (keyword === 'FROM' || keyword === 'MAINTAINER') {
    throw new Problem(`${keyword} isn't allowed as an ONBUILD trigger`);
  }
  const text = statement.original.replace(/^[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*/i, '');
  return makeNode('ONBUILD', statement, place, {
    trigger: text + place.heredocs.map(attached).join(''),
    instruction: parseInner(statement.inner!, place),
  });
}

function attached(heredoc: Heredoc): string {
  return `\n${heredoc.content}${heredoc.name}`;
}
