import { nearest } from '../../errors/nearest.js';
import type { Instruction } from '../ast.js';
import { Problem } from '../problem.js';
import { keywords, type Placement, type Statement } from '../statement.js';
import { parseCommand, parseRun, parseShell } from './command-line.js';
import { parseAdd, parseCopy } from './copy.js';
import { parseFrom } from './from.js';
import { parseHealthcheck } from './healthcheck.js';
import { parseOnbuild } from './onbuild.js';
import { parseArg, parsePairs } from './pairs.js';
import { parseExpose, parseValue, parseVolume } from './values.js';

/**
 * Checks a statement against the rules of its instruction.
 *
 * @throws Problem
 */
export function parseInstruction(statement: Statement, place: Placement): Instruction {
  switch (statement.name) {
    case 'ADD':
      return parseAdd(statement, place);
    case 'ARG':
      return parseArg(statement, place);
    case 'CMD':
    case 'ENTRYPOINT':
      return parseCommand(statement.name, statement, place);
    case 'COPY':
      return parseCopy(statement, place);
    case 'ENV':
    case 'LABEL':
      return parsePairs(statement.name, statement, place);
    case 'EXPOSE':
      return parseExpose(statement, place);
    case 'FROM':
      return parseFrom(statement, place);
    case 'HEALTHCHECK':
      return parseHealthcheck(statement, place);
    case 'MAINTAINER':
    case 'STOPSIGNAL':
    case 'USER':
    case 'WORKDIR':
      return parseValue(statement.name, statement, place);
    case 'ONBUILD':
      return parseOnbuild(statement, place, parseInstruction);
    case 'RUN':
      return parseRun(statement, place);
    case 'SHELL':
      return parseShell(statement, place);
    case 'VOLUME':
      return parseVolume(statement, place);
    default:
      throw unknownInstruction(statement.keyword);
  }
}

function unknownInstruction(keyword: string): Problem {
  const near = nearest(keyword, keywords);
  if (near === undefined) return new Problem(`unknown instruction: ${keyword}`, `Known are ${keywords.join(', ')}.`);
  const suggestion = keyword === keyword.toUpperCase() ? near : near.toLowerCase();
  return new Problem(`unknown instruction: ${keyword} (did you mean ${suggestion}?)`, `Did you mean ${suggestion}?`);
}
