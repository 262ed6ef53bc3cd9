import type { Measured } from './measure.js';
import { pairedRatio } from './statistics.js';

/** How long a contender may take next to others, or how much memory it may hold. */
export type Limit =
  | {
      readonly kind: 'time';
      readonly contender: string;
      /** The peer; of several the slower one, run by run. */
      readonly of: readonly string[];
      /** The time over the peer's time is at most this. */
      readonly most: number;
      /** Taken off the contender's time first: what a start may cost beside the peer's. */
      readonly allowance?: number | undefined;
    }
  | { readonly kind: 'memory'; readonly contender: string; readonly mostMiB: number };

export interface Verdict {
  readonly limit: Limit;
  /** The ratio, or MiB. Absent when something that it needs is not on this machine. */
  readonly value?: number | undefined;
  readonly verdict: 'ok' | 'over' | 'not measured';
}

/** Holds what was measured to a limit. */
export function judge(limit: Limit, measured: readonly Measured[]): Verdict {
  const value = limit.kind === 'time' ? timeRatio(limit, measured) : peak(limit.contender, measured);
  if (value === undefined) return { limit, verdict: 'not measured' };
  const most = limit.kind === 'time' ? limit.most : limit.mostMiB;
  return { limit, value, verdict: value <= most ? 'ok' : 'over' };
}

function timeRatio(limit: Limit & { kind: 'time' }, measured: readonly Measured[]): number | undefined {
  const seconds = (name: string): number[] | undefined =>
    measured.find(one => one.name === name)?.samples.map(sample => sample.seconds);
  const ours = seconds(limit.contender);
  const theirs = limit.of.map(seconds);
  if (ours === undefined || theirs.some(one => one === undefined)) return undefined;
  return pairedRatio(
    ours.map(one => one - (limit.allowance ?? 0)),
    ours.map((_, run) => Math.max(...theirs.map(one => one![run]!))),
  );
}

/** The highest of all runs: memory has to be there every time. */
function peak(name: string, measured: readonly Measured[]): number | undefined {
  const peaks = measured.find(one => one.name === name)?.samples.map(sample => sample.peakMiB) ?? [];
  return peaks.length === 0 || peaks.includes(undefined) ? undefined : Math.max(...(peaks as number[]));
}
