import type { Diagnostic, Instruction } from '../ast.js';
import { printable } from '../printable.js';
import { type LintRuleName, lintRules } from './rules.js';

/** What a lint rule has found, before it is decided whether it is to be shown. */
export interface Finding extends Diagnostic {
  /** Comments above the instruction at fault: a `check=` in them has its say about this finding. */
  readonly comments?: readonly string[] | undefined;
}

/** The instruction that a finding is about, or the parts of two: where it is, and what is said above it. */
export type FindingPlace = Pick<Instruction, 'range' | 'comments'>;

/** Messages are those of BuildKit, so that what people find about them elsewhere fits; hints are ours. */
export function finding(rule: LintRuleName, place: FindingPlace, message: string, hint: string): Finding {
  const comments = lintRules[rule].scope === 'instruction' ? place.comments : undefined;
  const shown = { message: printable(message, maxLength), hint: printable(hint, maxLength) };
  return { rule, severity: 'warning', ...shown, range: place.range, ...(comments?.length ? { comments } : {}) };
}

/** A finding in one line, as Docker prints it: `StageNameCasing: Stage name 'A' should be lowercase (line 1)`. */
export function formatFinding({ rule, message, range }: Diagnostic): string {
  return `${rule}: ${message} (line ${range.start.line})`;
}

/** Words of a Dockerfile can be as long as a line may be. */
const maxLength = 1000;
