import type { CommandInstruction, HealthcheckInstruction } from '../../dockerfile/ast.js';
import { type Finding, finding } from '../../dockerfile/lint/finding.js';
import type { SourceRange } from '../../errors/errors.js';

/** MultipleInstructionsDisallowed, at the earlier instruction, which is the one without effect. */
export function lintRepeated(
  instruction: CommandInstruction | HealthcheckInstruction,
  earlier: SourceRange | undefined,
): Finding[] {
  if (earlier === undefined) return [];
  const { keyword, comments } = instruction;
  const message = `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`;
  return [finding('MultipleInstructionsDisallowed', { range: earlier, comments }, message, 'Remove this one.')];
}

/** JSONArgsRecommended; whoever gives a SHELL wants it. */
export function lintCommandForm(
  instruction: CommandInstruction,
  shell: readonly string[] | null | undefined,
): Finding[] {
  const { command, keyword } = instruction;
  if (command.form === 'exec' || shell?.length) return [];
  const message = `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`;
  return [finding('JSONArgsRecommended', instruction, message, `Write ${keyword} ["program", "argument"].`)];
}
