import { dirname } from 'node:path';
import { whenIdle } from './idle.js';
import { judge, type Limit } from './limit.js';
import { type Contender, type Measured, measure } from './measure.js';
import { type Absent, isAbsent } from './peers/absent.js';
import type { Comparison } from './section.js';
import type { Workbench } from './workbench.js';

export interface ComparisonPlan {
  readonly name: string;
  readonly title: string;
  readonly contenders: ReadonlyArray<Contender | Absent>;
  readonly limits: readonly Limit[];
  /** How many times as often as the others; for commands that are over in a moment. Default 1. */
  readonly times?: number;
  /** Rounds that do not count. Default 0: for what begins with a clean slate, where only the files must be warm. */
  readonly warmUps?: number;
}

/** Measures what is here, names what is not, and judges. */
export async function compare(bench: Workbench, plan: ComparisonPlan): Promise<Comparison> {
  const { name, title, limits } = plan;
  const names = plan.contenders.map(one => one.name);
  for (const limit of limits)
    for (const needed of [limit.contender, ...(limit.kind === 'time' ? limit.of : [])])
      if (!names.includes(needed)) throw new Error(`${name}: a limit speaks of "${needed}", which is no contender`);
  const absent = plan.contenders.filter(isAbsent);
  for (const one of absent) bench.tell(`${name}: without ${one.name} (not here: ${one.missing.join(', ')})`);
  const present = plan.contenders.filter((one): one is Contender => !isAbsent(one));
  const measured = await measureHere(bench, name, present, bench.runs * (plan.times ?? 1), plan.warmUps ?? 0);
  const verdicts = limits.map(limit => judge(limit, measured));
  return { kind: 'comparison', name, title, measured, absent, verdicts };
}

/** Measures with the settings of this bench, and tells every run. */
export function measureHere(
  bench: Workbench,
  name: string,
  contenders: readonly Contender[],
  runs: number,
  warmUps: number,
): Promise<Measured[]> {
  const gnuTime = bench.programs.missing(['time']).length === 0 ? bench.programs.path('time') : undefined;
  const scratch = bench.path('usage');
  return measure(
    contenders,
    {
      runs,
      warmUps,
      // What one run has left to be done or written must not be while the next is measured.
      settle: async () => {
        await bench.run(['sync', '-f', dirname(scratch)], { mayFail: true });
        await whenIdle(bench);
      },
      onSample: (contender, { seconds }, counts) =>
        bench.tell(`${name}: ${contender}: ${seconds.toFixed(2)} s${counts ? '' : ' (warm-up)'}`),
    },
    { gnuTime, scratch, signal: bench.signal },
  );
}
