import type { FileOrigin, Step } from './step.js';

/** The places that a step takes files from, in the order in which it names them. */
export function stepOrigins(step: Step): readonly FileOrigin[] {
  if (step.kind === 'copy') return [step.from];
  if (step.kind !== 'run') return [];
  return step.mounts.flatMap(mount => ('from' in mount ? [mount.from] : []));
}
