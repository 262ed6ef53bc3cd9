import type { ArgInstruction, PairsInstruction } from '../../dockerfile/ast.js';
import { quote } from '../../dockerfile/go-text.js';
import { type Finding, type FindingPlace, finding } from '../../dockerfile/lint/finding.js';
import { soundsSecret } from '../../errors/redact.js';

/** LegacyKeyValueFormat, and for ENV SecretsUsedInArgOrEnv. `names` are those of the pairs, expanded. */
export function lintPairs(instruction: PairsInstruction, names: readonly string[]): Finding[] {
  const { kind, keyword, pairs } = instruction;
  const message = `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`;
  return pairs.flatMap(({ key, legacy }, i) => [
    ...(legacy ? [finding('LegacyKeyValueFormat', instruction, message, `Write ${keyword} ${key}=.`)] : []),
    ...(kind === 'ENV' ? lintSecret('ENV', names[i]!, instruction) : []),
  ]);
}

/** SecretsUsedInArgOrEnv. */
export function lintArg(instruction: ArgInstruction): Finding[] {
  return instruction.args.flatMap(({ name }) => lintSecret('ARG', name, instruction));
}

function lintSecret(kind: 'ENV' | 'ARG', name: string, place: FindingPlace): Finding[] {
  if (!soundsSecret(name)) return [];
  const message = `Do not use ARG or ENV instructions for sensitive data (${kind} ${quote(name)})`;
  return [
    finding('SecretsUsedInArgOrEnv', place, message, 'Give it to the RUN that needs it with --mount=type=secret.'),
  ];
}
