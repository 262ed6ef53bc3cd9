import type { CallOptions } from '../stream/bytes.js';

/** A piece of work among others. */
export interface Task {
  /** What must be done before: tasks of the same list. */
  readonly needs: readonly Task[];
  /** Ends soon when the signal fires. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ScheduleOptions extends CallOptions {
  /** Tasks that run at the same time; at least one does. */
  readonly concurrency: number;
}

/**
 * Runs every task as soon as those that it needs are done; of those that could run, the one that stands first in the list
 * goes first. When one fails, no other is begun, and what is under way is told to stop and waited for. The failure that
 * comes out is that of the task that stands first among those that failed by themselves, before they were told to.
 */
export async function runTasks(tasks: readonly Task[], { concurrency, signal }: ScheduleOptions): Promise<void> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const missing = tasks.map(task => new Set(task.needs).size);
  const dependents = dependentsOf(tasks);
  const ready = [...tasks.keys()].filter(place => missing[place] === 0);
  const failures = new Map<number, unknown>();
  let running = 0;
  let done = 0;
  await new Promise<void>(resolve => {
    const next = (): void => {
      while (running < Math.max(1, concurrency) && ready.length > 0 && failures.size === 0 && !stopped.aborted) {
        void run(ready.shift()!);
      }
      if (running === 0) resolve();
    };
    const run = async (place: number): Promise<void> => {
      running += 1;
      try {
        await tasks[place]!.run(stopped);
        done += 1;
        const freed = (dependents.get(tasks[place]!) ?? []).filter(dependent => --missing[dependent]! === 0);
        if (freed.length > 0) {
          ready.push(...freed);
          ready.sort((a, b) => a - b);
        }
      } catch (error) {
        // What fails now was told to stop. A turn of the event loop lets those speak that failed at the same time.
        if (!stopped.aborted) failures.set(place, error);
        setImmediate(() => stop.abort());
      }
      running -= 1;
      next();
    };
    next();
  });
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
  signal?.throwIfAborted();
  if (done < tasks.length) throw new Error('tasks need each other, or some that are not in the list');
}

function dependentsOf(tasks: readonly Task[]): ReadonlyMap<Task, number[]> {
  const dependents = new Map<Task, number[]>();
  for (const [place, task] of tasks.entries()) {
    for (const need of new Set(task.needs)) {
      const known = dependents.get(need);
      if (known === undefined) dependents.set(need, [place]);
      else known.push(place);
    }
  }
  return dependents;
}
