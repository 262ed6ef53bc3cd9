import type { PlaceReport } from '../src/index.js';
import type { CliContext } from './context.js';
import { familiarPath } from './familiar-path.js';

/** A place of credentials as people know it, with what in it is meant. */
export function placeName({ place, entry, reason }: PlaceReport, context: CliContext): string {
  const what = entry ?? reason;
  return `${familiarPath(place, context)}${what === undefined ? '' : ` (${what})`}`;
}
