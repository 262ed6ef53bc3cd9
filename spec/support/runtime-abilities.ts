import { checkPlacesInMounts } from '../../src/sandbox/oci/places-in-mounts.js';
import { findProgram } from './run-program.js';
import type { Ability } from './sandbox-suite.js';

/** What the runtime that is installed here lacks. */
export async function lackedBy(runtime: 'crun' | 'runc'): Promise<readonly Ability[]> {
  const path = findProgram(runtime);
  const places =
    path &&
    (await checkPlacesInMounts(path, '/').then(
      () => 'made',
      () => 'refused',
    ));
  return ['fine statuses', ...(places === 'refused' ? ['mounts in mounts' as const] : [])];
}
