import type { AddInstruction, CopyInstruction } from '../../dockerfile/ast.js';
import { cleanPathText } from '../../dockerfile/go-text.js';
import type { IgnoreMatcher } from '../../dockerfile/ignore.js';
import { type Finding, finding } from '../../dockerfile/lint/finding.js';

/**
 * CopyIgnoredFile, of a source in the context after expansion. Where patterns take files in again, nothing is said: a
 * folder that is left out may have such a file in it.
 */
export function lintSource(
  source: string,
  ignore: IgnoreMatcher,
  instruction: CopyInstruction | AddInstruction,
): Finding[] {
  const path = cleanPathText(source);
  const isRoot = path === '.' || path === '/';
  if (ignore.hasExclusions || (isRoot && !ignore.hasCatchAll) || !ignore.ignores(path)) return [];
  const verb = instruction.kind === 'ADD' ? 'Add' : 'Copy';
  const message = `Attempting to ${verb} file "${path}" that is excluded by .dockerignore`;
  const pattern = ignore.matchingPattern(path);
  const hint = `The pattern ${pattern} of .dockerignore leaves it out.`;
  return [finding('CopyIgnoredFile', instruction, message, hint)];
}
