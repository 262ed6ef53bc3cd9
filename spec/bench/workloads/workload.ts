import type { Section } from '../section.js';
import type { Workbench } from '../workbench.js';

export interface Workload {
  /** As it is named on the command line. */
  readonly name: string;
  readonly summary: string;
  /** Left out unless it is asked for, because it takes long. */
  readonly onDemand?: boolean;
  run(bench: Workbench): Promise<readonly Section[]>;
}
