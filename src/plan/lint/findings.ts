import type { Finding } from '../../dockerfile/lint/finding.js';

/** What has been found so far; `onFinding` is told of it at once. */
export function collectFindings(onFinding: ((finding: Finding) => void) | undefined): {
  readonly findings: readonly Finding[];
  readonly report: (found: readonly Finding[]) => void;
} {
  const findings: Finding[] = [];
  const report = (found: readonly Finding[]): void => {
    for (const finding of found) {
      findings.push(finding);
      onFinding?.(finding);
    }
  };
  return { findings, report };
}
