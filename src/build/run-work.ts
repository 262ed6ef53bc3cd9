import { type RunOptions, runStart, runStep, type StageResult } from './run-step.js';
import { runTasks, type Task } from './schedule.js';
import type { Work, WorkGraph } from './work-graph.js';

export interface RunWorkOptions extends Omit<RunOptions, 'result'> {
  /** Pieces of work that are done at the same time. */
  readonly concurrency: number;
}

/**
 * Carries out a build, everything as soon as what it needs is done. The results are those of the targets, in their order.
 * @throws LadingError of the first piece, in order of the work, that failed; nothing runs any more then
 */
export async function runWork({ work, targets }: WorkGraph, options: RunWorkOptions): Promise<StageResult[]> {
  const results = new Map<Work, StageResult>();
  // A result goes when nobody needs it any more, so that a long file does not keep every state it went through.
  const users = new Map<Work, number>(targets.map(target => [target, Number.POSITIVE_INFINITY]));
  for (const needed of work.flatMap(piece => piece.needs)) users.set(needed, (users.get(needed) ?? 0) + 1);
  const tasks = new Map<Work, Task>();
  for (const piece of work) {
    const needs = piece.needs.map(needed => tasks.get(needed)!);
    const run = async (signal: AbortSignal): Promise<void> => {
      const call = { ...options, signal, result: (needed: Work) => results.get(needed)! };
      results.set(piece, await (piece.kind === 'start' ? runStart(piece, call) : runStep(piece, call)));
      for (const needed of piece.needs) {
        const left = users.get(needed)! - 1;
        users.set(needed, left);
        if (left === 0) results.delete(needed);
      }
    };
    tasks.set(piece, { needs, run });
  }
  await runTasks([...tasks.values()], options);
  return targets.map(target => results.get(target)!);
}
