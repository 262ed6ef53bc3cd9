import type { ArgInstruction, FromInstruction } from '../ast.js';
import { type Finding, finding } from './finding.js';

/** InvalidDefinitionDescription: the last comment line above an ARG or a named FROM starts with a name it defines. */
export function lintDefinitionDescription(instruction: ArgInstruction | FromInstruction): Finding[] {
  const { kind, comments } = instruction;
  const names = kind === 'ARG' ? instruction.args.map(arg => arg.name) : [instruction.stageName ?? ''];
  const comment = comments.at(-1);
  if (comment === undefined || names[0] === '' || names.includes(comment.split(' ')[0]!)) return [];
  const example = names.length > 1 ? '<arg_key>' : names[0]!;
  const message = `Comment for ${kind} should follow the format: \`# ${example} <description>\``;
  const hint = 'Start the comment with the name, or put a # line below it when it is no description.';
  return [finding('InvalidDefinitionDescription', instruction, message, hint)];
}
