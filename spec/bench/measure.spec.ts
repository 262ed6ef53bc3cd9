import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../support/programs.js';
import { findProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';
import { measure } from './measure.js';
import { parseUsage, runTimed } from './timed-process.js';

const node = (script: string) => ({ argv: [process.execPath, '-e', script] });

describe('measuring in the bench', () => {
  it('takes turns, after each of them is prepared, and leaves out the warm-up', async () => {
    const scratch = join(await tempDir(), 'usage');
    const log: string[] = [];
    const prepare = (name: string) => async () => void log.push(name);
    const measured = await measure(
      [
        { name: 'a', argv: ['true'], before: prepare('a') },
        { name: 'b', argv: ['true'], before: prepare('b'), note: 'of b' },
      ],
      {
        ...{ runs: 2, warmUps: 1, settle: async () => void log.push('settle') },
        onSample: (name, _, counts) => void log.push(`${name} ${counts}`),
      },
      { scratch, signal: new AbortController().signal },
    );
    const round = (counts: boolean): string[] => ['a', 'settle', `a ${counts}`, 'b', 'settle', `b ${counts}`];
    expect(log).toEqual([...round(false), ...round(true), ...round(true)]);
    expect(measured).toMatchObject([{ name: 'a' }, { name: 'b', note: 'of b' }]);
    expect(measured.map(({ samples }) => samples.length)).toEqual([2, 2]);
  });

  it('says what a command that fails said', async () => {
    const timing = { scratch: join(await tempDir(), 'usage'), signal: new AbortController().signal };
    await expect(runTimed(node('console.error("no luck"); process.exit(3)'), timing)).rejects.toThrow(/3\n.*no luck/s);
    await expect(runTimed({ argv: ['/does/not/exist'] }, timing)).rejects.toThrow(/ENOENT/);
  });

  it('ends all processes of a command when it is interrupted', async () => {
    const folder = await tempDir();
    const interrupt = new AbortController();
    const script = 'touch started; (sleep 1; touch late) & wait';
    const running = runTimed(
      { argv: ['sh', '-c', `cd "$0" && ${script}`, folder] },
      { scratch: join(folder, 'usage'), signal: interrupt.signal },
    );
    const ended = expect(running).rejects.toThrow(/abort/i);
    while (!existsSync(join(folder, 'started'))) await new Promise(resolve => setTimeout(resolve, 20));
    interrupt.abort();
    await ended;
    await new Promise(resolve => setTimeout(resolve, 1300));
    expect(existsSync(join(folder, 'late'))).toBe(false);
  });

  it('reads what GNU time writes', () => {
    expect(parseUsage('1.25 0.50 20480\n')).toEqual({ cpuSeconds: 1.75, peakMiB: 20 });
  });
});

describeWith(['time'], 'GNU time', () => {
  it('tells CPU and memory of a child', async () => {
    const timing = { scratch: join(await tempDir(), 'usage'), signal: new AbortController().signal };
    const work = 'const b = Buffer.alloc(200 << 20, 1); const end = Date.now() + 300; while (Date.now() < end) b[0]++;';
    const sample = await runTimed(node(work), { ...timing, gnuTime: findProgram('time')! });
    expect(sample.peakMiB).toBeGreaterThan(200);
    expect(sample.cpuSeconds).toBeGreaterThan(0.05);
    expect(sample.seconds).toBeGreaterThan(0.3);
    const small = await runTimed({ argv: ['true'] }, { ...timing, gnuTime: findProgram('time')! });
    expect(small.peakMiB).toBeLessThan(20);
  });
});
