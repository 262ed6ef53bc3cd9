import type { ValueInstruction } from '../ast.js';
import { type Finding, finding } from './finding.js';

/** MaintainerDeprecated. */
export function lintMaintainer(instruction: ValueInstruction): Finding[] {
  if (instruction.kind !== 'MAINTAINER') return [];
  const message = 'Maintainer instruction is deprecated in favor of using label';
  const hint = `Write LABEL org.opencontainers.image.authors=${JSON.stringify(instruction.value)}.`;
  return [finding('MaintainerDeprecated', instruction, message, hint)];
}
