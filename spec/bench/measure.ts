import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** One command as it is run in a benchmark; each run starts a whole process. */
export interface Contender {
  readonly name: string;
  readonly argv: readonly string[];
  /** Run before every run, not timed. */
  readonly before?: (() => void) | undefined;
}

export interface Measured {
  readonly name: string;
  readonly seconds: readonly number[];
  /** Peak resident memory of the largest process, in MiB; absent where the system cannot tell. */
  readonly memoryMiB?: number | undefined;
}

const timeProgram = '/usr/bin/time';

/** Runs the contenders in turn, `runs` times after one warm-up, so that a machine that drifts drifts for all of them. */
export function measure(contenders: readonly Contender[], runs: number): Measured[] {
  const seconds = contenders.map((): number[] => []);
  const memory = contenders.map((): number[] => []);
  for (let run = 0; run <= runs; run++) {
    for (const [i, contender] of contenders.entries()) {
      contender.before?.();
      const result = once(contender);
      if (run === 0) continue;
      seconds[i]!.push(result.seconds);
      if (result.memoryMiB !== undefined) memory[i]!.push(result.memoryMiB);
    }
  }
  return contenders.map(({ name }, i) => ({
    name,
    seconds: seconds[i]!,
    memoryMiB: memory[i]!.length === 0 ? undefined : Math.max(...memory[i]!),
  }));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median of `a / b`, run by run. */
export function ratio(a: Measured, b: Measured): number {
  return median(a.seconds.map((value, i) => value / b.seconds[i]!));
}

function once({ name, argv }: Contender): { seconds: number; memoryMiB: number | undefined } {
  const timed = existsSync(timeProgram);
  const [program, ...args] = timed ? [timeProgram, '-f', 'peak %M', ...argv] : argv;
  const start = process.hrtime.bigint();
  const result = spawnSync(program!, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (result.status !== 0) throw new Error(`${name} failed (${result.status}): ${result.stderr.slice(-2000)}`);
  const peak = /peak (\d+)\s*$/.exec(result.stderr)?.[1];
  return { seconds, memoryMiB: peak === undefined ? undefined : Math.round(Number(peak) / 1024) };
}
