import type { Curve } from '../section.js';
import { median } from '../statistics.js';

/**
 * What one more file (µs) or MB (ms) costs at each point of a curve. For lading, the first of the commands, what a build of
 * nothing takes is taken off before.
 */
export function unitCosts({ points, floor, unit }: Curve, command: number): number[] {
  return points.map(({ amount, measured }) => {
    const seconds = median(measured[command]!.samples.map(sample => sample.seconds));
    return ((seconds - (command === 0 ? floor : 0)) / amount) * (unit === 'file' ? 1e6 : 1e3);
  });
}

/** The cost of a unit at the largest amount over the lowest at any smaller one: above 1 it grows. */
export function growth(curve: Curve): number {
  const costs = unitCosts(curve, 0);
  const last = costs.pop();
  return last === undefined || costs.length === 0 ? 1 : last / Math.min(...costs);
}

/** The cost of a unit is called flat as long as it does not grow by more than a quarter; the rest is noise of a machine. */
export const mostGrowth = 1.25;
