import type { ArgInstruction } from '../../dockerfile/ast.js';
import { lintArg } from '../lint/pairs.js';
import { declareArg } from '../scope.js';
import { expand, type StageDraft, type StepBody } from '../stage-draft.js';

/**
 * ARG: the value is the build argument as it is, else the default, else that of the ARG before the first FROM. Names of
 * one instruction see those before them. A default that is not needed is not expanded, so it cannot fail.
 */
export function lowerArg(instruction: ArgInstruction, draft: StageDraft): StepBody {
  draft.report(lintArg(instruction));
  const { buildArgs, args: globals } = draft.globals;
  const texts = instruction.args.map(({ name, default: written }) => {
    const fallback = (): string | undefined => (written === undefined ? globals.get(name) : expand(draft, written));
    const value = buildArgs.get(name) ?? fallback();
    declareArg(draft.scope, name, value);
    // The next one sees this one, so what is missed then may be told in other words.
    draft.missed.clear();
    return value === undefined ? name : `${name}=${value}`;
  });
  return { kind: 'config', createdBy: `ARG ${texts.join(' ')}` };
}
