import type { Verdict } from './limit.js';
import type { Measured } from './measure.js';
import type { Absent } from './peers/absent.js';

/** What one workload found out: one part of the report. */
export type Section = Comparison | InProcess | Curve | CompressionTable;

export interface Comparison {
  readonly kind: 'comparison';
  /** Of the workload. */
  readonly name: string;
  /** What was done, with its size. */
  readonly title: string;
  /** The first is lading's. */
  readonly measured: readonly Measured[];
  readonly absent: readonly Absent[];
  readonly verdicts: readonly Verdict[];
}

/** What is too quick for a process of its own. */
export interface InProcess {
  readonly kind: 'in-process';
  readonly name: string;
  readonly parts: ReadonlyArray<{ readonly title: string; readonly milliseconds: readonly number[] }>;
}

/** The same work in growing sizes. */
export interface Curve {
  readonly kind: 'curve';
  readonly name: string;
  readonly title: string;
  readonly unit: 'file' | 'MB';
  /** What a build of nothing takes, in seconds: the median. It is taken off before the cost of a unit is told. */
  readonly floor: number;
  readonly points: ReadonlyArray<{ readonly amount: number; readonly measured: readonly Measured[] }>;
}

export interface CompressionTable {
  readonly kind: 'compression';
  readonly name: string;
  readonly title: string;
  /** Size of the uncompressed layer, and of each compressed one, in bytes. */
  readonly uncompressed: number;
  readonly rows: ReadonlyArray<{ readonly bytes: number; readonly measured: Measured }>;
  /** Kinds of compression that this machine does not have, with the reason. */
  readonly absent: readonly string[];
}
