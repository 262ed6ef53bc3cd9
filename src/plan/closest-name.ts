import { editDistance } from '../errors/nearest.js';

/** More variables than any image has: a search among them would only cost time. */
const maxKnown = 1000;

/**
 * The variable that was probably meant: the first of those nearest to `name`, fewer than three edits away. Letters of
 * another case count as edits, and nothing is suggested for a name that is there.
 */
export function closestName(name: string, known: ReadonlyMap<string, unknown>): string | undefined {
  if (known.size > maxKnown) return undefined;
  let closest: string | undefined;
  let least = 3;
  for (const candidate of known.keys()) {
    if (candidate === name) return undefined;
    const distance = editDistance(name, candidate);
    if (distance >= least) continue;
    closest = candidate;
    least = distance;
  }
  // A variable without a name is no suggestion, yet nothing farther away is one then.
  return closest || undefined;
}
