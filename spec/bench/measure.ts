import { runTimed, type Sample, type TimedCommand, type Timing } from './timed-process.js';

/** One command of a comparison; each run starts a whole process. */
export interface Contender extends TimedCommand {
  readonly name: string;
  /** Done before every run and not measured: bring everything to where the run begins. */
  readonly before?: (() => Promise<void>) | undefined;
  /** What the figures leave out. */
  readonly note?: string | undefined;
}

export interface Measured {
  readonly name: string;
  readonly note?: string | undefined;
  readonly samples: readonly Sample[];
}

export interface Plan {
  readonly runs: number;
  /** Rounds before those that count. */
  readonly warmUps: number;
  /** Done before every run, after its own preparation, and not measured. */
  readonly settle: () => Promise<void>;
  readonly onSample: (name: string, sample: Sample, counts: boolean) => void;
}

/** Runs the contenders in turn, A B A B, so that a machine that drifts drifts for all of them. */
export async function measure(contenders: readonly Contender[], plan: Plan, timing: Timing): Promise<Measured[]> {
  const samples = contenders.map((): Sample[] => []);
  for (let round = -plan.warmUps; round < plan.runs; round++) {
    for (const [i, contender] of contenders.entries()) {
      await contender.before?.();
      await plan.settle();
      const sample = await runTimed(contender, timing);
      plan.onSample(contender.name, sample, round >= 0);
      if (round >= 0) samples[i]!.push(sample);
    }
  }
  return contenders.map(({ name, note }, i) => ({ name, note, samples: samples[i]! }));
}
