/**
 * Lint rules: what a Dockerfile says that is allowed and seldom meant. Here are those that need the text alone; those
 * that need values, stages or base images are found while planning. `apply-checks.ts` decides what of all that is shown.
 */
import type { Diagnostic, DockerfileAst, FromInstruction, Instruction } from '../ast.js';
import { lintDefinitionDescription } from './definition-description.js';
import type { Finding } from './finding.js';
import { lintInstructionCasing } from './instruction-casing.js';
import { lintMaintainer } from './maintainer.js';
import { lintFromCasing, lintStageNames } from './stage-names.js';

/**
 * What the rules over the text find, NoEmptyContinuation excepted, which the parser reports. `diagnostics` are those of
 * the parser: where it has refused an instruction, only what stands before is looked at, and nothing is said of the file
 * as a whole.
 */
export function lintDockerfile(ast: DockerfileAst, diagnostics: readonly Diagnostic[] = []): Finding[] {
  const fault = diagnostics.find(({ severity }) => severity === 'error');
  const end = fault?.range.start.line ?? Number.POSITIVE_INFINITY;
  const sound = ast.instructions.filter(({ range }) => range.start.line < end);
  const findings = sound.flatMap(lintInstruction);
  if (fault !== undefined) return findings;
  const froms = ast.instructions.filter((instruction): instruction is FromInstruction => instruction.kind === 'FROM');
  return [...findings, ...lintStageNames(froms), ...lintInstructionCasing(ast.instructions)];
}

function lintInstruction(instruction: Instruction): Finding[] {
  switch (instruction.kind) {
    case 'FROM':
      return [...lintFromCasing(instruction), ...lintDefinitionDescription(instruction)];
    case 'ARG':
      return lintDefinitionDescription(instruction);
    case 'MAINTAINER':
      return lintMaintainer(instruction);
    default:
      return [];
  }
}
