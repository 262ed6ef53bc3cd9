import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runTasks, type Task } from '../../src/build/schedule.js';

function task(run: (signal: AbortSignal) => Promise<void>, needs: readonly Task[] = []): Task {
  return { needs, run };
}

/** Ends with the reason of the signal, and not before. */
function stuck(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

describe('runTasks', () => {
  it('runs one at a time in the order of the list', async () => {
    const order: number[] = [];
    const tasks: Task[] = [];
    for (const [place, needs] of [[], [0], [], [1], [0]].entries()) {
      const run = async (): Promise<void> => {
        await turn();
        order.push(place);
      };
      tasks.push(
        task(
          run,
          needs.map(need => tasks[need]!),
        ),
      );
    }
    await runTasks(tasks, { concurrency: 1 });
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it('runs whatever graph: each once, behind what it needs, no more than allowed at a time', async () => {
    const graphs = fc.array(fc.tuple(fc.array(fc.nat(), { maxLength: 4 }), fc.nat(3)), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(graphs, fc.integer({ min: 1, max: 6 }), async (shape, concurrency) => {
        const tasks: Task[] = [];
        const done = new Set<number>();
        let running = 0;
        for (const [place, [links, turns]] of shape.entries()) {
          const needs = place === 0 ? [] : links.map(link => link % place);
          const run = async (): Promise<void> => {
            running += 1;
            expect(running).toBeLessThanOrEqual(concurrency);
            expect(needs.every(need => done.has(need))).toBe(true);
            expect(done.has(place)).toBe(false);
            for (let i = 0; i < turns; i++) await turn();
            running -= 1;
            done.add(place);
          };
          tasks.push(
            task(
              run,
              needs.map(need => tasks[need]!),
            ),
          );
        }
        await runTasks(tasks, { concurrency });
        expect(done.size).toBe(tasks.length);
      }),
      { numRuns: 60 },
    );
  });

  it('stops the others at a failure, waits for them, and begins nothing more', async () => {
    let cleaned = false;
    let begun = false;
    const slow = task(async signal => {
      try {
        await stuck(signal);
      } finally {
        await pause(20);
        cleaned = true;
      }
    });
    const failing = task(async () => {
      await turn();
      throw new Error('mine');
    });
    const later = task(async () => void (begun = true), [slow]);
    await expect(runTasks([slow, failing, later], { concurrency: 8 })).rejects.toThrow('mine');
    expect([cleaned, begun]).toEqual([true, false]);
  });

  it('tells the first of those in the list that failed before they were stopped', async () => {
    const failing = (message: string): Task =>
      task(async () => {
        throw new Error(message);
      });
    const consequence = task(async signal => {
      await stuck(signal).catch(() => {});
      throw new Error('a consequence');
    });
    const later = task(async () => {
      await Promise.resolve();
      throw new Error('first in the list');
    });
    await expect(runTasks([consequence, later, failing('second')], { concurrency: 8 })).rejects.toThrow(
      'first in the list',
    );
  });

  it('ends with the reason of its caller, when all has ended', async () => {
    const abort = new AbortController();
    let ended = 0;
    const tasks = Array.from({ length: 3 }, () => task(signal => stuck(signal).finally(() => (ended += 1))));
    const work = runTasks(tasks, { concurrency: 2, signal: abort.signal });
    await turn();
    abort.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
    expect(ended).toBe(2);
    await expect(runTasks(tasks, { concurrency: 2, signal: abort.signal })).rejects.toThrow('enough');
    expect(ended).toBe(2);
  });

  it('refuses a list that can never be done', async () => {
    const elsewhere = task(async () => {});
    await expect(runTasks([task(async () => {}, [elsewhere])], { concurrency: 1 })).rejects.toThrow('need');
    await runTasks([], { concurrency: 1 });
  });
});
