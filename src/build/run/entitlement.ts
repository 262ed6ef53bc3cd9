import { LadingError } from '../../errors/errors.js';
import type { RunStep } from '../../plan/step.js';

/** What a command gets only when the caller of the build says so: the network of this machine; all privileges there are. */
export type Entitlement = 'network.host' | 'security.insecure';

/** @throws LadingError UNSUPPORTED for a command that asks for what it is not allowed */
export function checkEntitlements(step: RunStep, allowed: ReadonlySet<Entitlement> = new Set()): void {
  const { network, security } = step;
  if (network === 'host') require('network.host', `RUN --network=${network}`);
  if (security === 'insecure') require('security.insecure', `RUN --security=${security}`);

  function require(entitlement: Entitlement, feature: string): void {
    if (allowed.has(entitlement)) return;
    throw new LadingError('UNSUPPORTED', `${feature}: ${entitlement} is not allowed`, {
      details: { feature, range: step.range },
      hint: `Add --allow ${entitlement} when that is what you want.`,
    });
  }
}
