import type { Instruction } from '../ast.js';
import { type Finding, finding } from './finding.js';

/**
 * ConsistentInstructionCasing. Keywords of mixed case have no vote; a draw goes to capitals. What stands before the first
 * FROM is not looked at.
 */
export function lintInstructionCasing(instructions: readonly Instruction[]): Finding[] {
  const start = instructions.findIndex(({ kind }) => kind === 'FROM');
  const inStages = start < 0 ? [] : instructions.slice(start);
  const lower = inStages.filter(({ keyword }) => keyword === keyword.toLowerCase()).length;
  const upper = inStages.filter(({ keyword }) => keyword === keyword.toUpperCase()).length;
  const isLower = lower > upper;
  return inStages.flatMap(instruction => {
    const { keyword } = instruction;
    const wanted = isLower ? keyword.toLowerCase() : keyword.toUpperCase();
    if (keyword === wanted) return [];
    const casing = isLower ? 'lowercase' : 'uppercase';
    const message = `Command '${keyword}' should match the case of the command majority (${casing})`;
    return [finding('ConsistentInstructionCasing', instruction, message, `Write ${wanted}.`)];
  });
}
