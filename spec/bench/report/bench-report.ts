import type { Machine } from '../machine.js';
import type { Section } from '../section.js';

/** Everything that a run of the bench found out: what `--json` writes. */
export interface BenchReport {
  readonly quick: boolean;
  readonly runs: number;
  readonly machine: Machine;
  readonly sections: readonly Section[];
  /** Workloads that came to no end, with the reason. */
  readonly failures: ReadonlyArray<{ readonly name: string; readonly reason: string }>;
}

export function sectionsOf<K extends Section['kind']>(
  report: BenchReport,
  kind: K,
): ReadonlyArray<Extract<Section, { kind: K }>> {
  return report.sections.filter((section): section is Extract<Section, { kind: K }> => section.kind === kind);
}
