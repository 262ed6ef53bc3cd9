import { type Finding, type FindingPlace, finding } from '../../dockerfile/lint/finding.js';
import { closestName } from '../closest-name.js';
import { isDescriptive, type Scope } from '../scope.js';

/** UndefinedVar, of names that an instruction refers to and that have no value. Those that an ARG declares may have none. */
export function lintVariables(
  names: readonly string[],
  { env, args }: Scope,
  escapeCharacter: string,
  place: FindingPlace,
): Finding[] {
  const undeclared = names.filter(name => !args.has(name) && !isDescriptive(name));
  return undeclared.map(name => {
    const meant = closestName(name, env);
    const suggestion = meant === undefined ? '' : ` (did you mean $${meant}?)`;
    const message = `Usage of undefined variable '$${name}'${suggestion}`;
    const hint = `Set it with ENV or ARG before this line, or write ${escapeCharacter}$${name} when a dollar sign is meant.`;
    return finding('UndefinedVar', place, message, hint);
  });
}
