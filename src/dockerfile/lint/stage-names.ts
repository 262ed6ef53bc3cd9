import type { FromInstruction } from '../ast.js';
import { quote } from '../go-text.js';
import { type Finding, finding } from './finding.js';

/** StageNameCasing and FromAsCasing. */
export function lintFromCasing(from: FromInstruction): Finding[] {
  const { stageName, stageNameWritten = '', asKeyword = '', keyword } = from;
  if (stageName === undefined) return [];
  const findings: Finding[] = [];
  if (stageNameWritten !== stageName) {
    const message = `Stage name '${stageNameWritten}' should be lowercase`;
    findings.push(finding('StageNameCasing', from, message, `Write ${stageName}.`));
  }
  const wanted = asIn(keyword);
  if (wanted !== undefined && asKeyword !== wanted) {
    const message = `'${asKeyword}' and '${keyword}' keywords' casing do not match`;
    findings.push(finding('FromAsCasing', from, message, `Write ${wanted}.`));
  }
  return findings;
}

/** AS in the case of FROM; a mixed FROM is a matter of its own. */
function asIn(keyword: string): string | undefined {
  if (keyword === keyword.toLowerCase()) return 'as';
  return keyword === keyword.toUpperCase() ? 'AS' : undefined;
}

/** ReservedStageName and DuplicateStageName. */
export function lintStageNames(froms: readonly FromInstruction[]): Finding[] {
  const findings: Finding[] = [];
  const seen = new Map<string, number>();
  for (const from of froms) {
    const { stageName, range } = from;
    if (stageName === undefined) continue;
    if (stageName === 'scratch' || stageName === 'context') {
      const message = `Stage name should not use the same name as reserved stage ${quote(stageName)}`;
      findings.push(finding('ReservedStageName', from, message, 'Choose another name.'));
    }
    const earlier = seen.get(stageName);
    if (earlier !== undefined) {
      const message = `Duplicate stage name ${quote(stageName)}, stage names should be unique`;
      findings.push(finding('DuplicateStageName', from, message, `Rename this stage or the one on line ${earlier}.`));
    }
    seen.set(stageName, range.start.line);
  }
  return findings;
}
