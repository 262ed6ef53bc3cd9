import { LadingError } from '../errors/errors.js';
import type { ResourceLimit } from './sandbox.js';

/** Numbers of `RLIMIT_…`, as Linux has them on x86 and ARM. */
const resources: Readonly<Record<string, number>> = {
  ...{ cpu: 0, fsize: 1, data: 2, stack: 3, core: 4, rss: 5, nproc: 6, nofile: 7, memlock: 8, as: 9, locks: 10 },
  ...{ sigpending: 11, msgqueue: 12, nice: 13, rtprio: 14, rttime: 15 },
};

/** `RESOURCE:SOFT:HARD` for the launcher. @throws LadingError INVALID_VALUE for a resource that is not known */
export function limitField(limit: ResourceLimit): string {
  return `${resourceNumber(limit)}:${limit.soft}:${limit.hard}`;
}

function resourceNumber({ name }: ResourceLimit): number {
  const number = Object.hasOwn(resources, name) ? resources[name] : undefined;
  if (number !== undefined) return number;
  throw new LadingError('INVALID_VALUE', `${name} is not a resource that can be limited`, {
    details: { what: 'ulimit', value: name },
    hint: `Known are ${Object.keys(resources).sort().join(', ')}.`,
  });
}
