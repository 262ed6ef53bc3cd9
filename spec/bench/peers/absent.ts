import type { Contender } from '../measure.js';

/** A contender that cannot run on this machine. */
export interface Absent {
  readonly name: string;
  /** Programs that are not installed, or `root`. */
  readonly missing: readonly string[];
}

export function isAbsent(one: Contender | Absent): one is Absent {
  return 'missing' in one;
}
