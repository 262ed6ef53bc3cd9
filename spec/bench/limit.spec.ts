import { describe, expect, it } from 'vitest';
import { judge, type Limit } from './limit.js';
import type { Measured } from './measure.js';

function runs(name: string, seconds: readonly number[], peakMiB?: number): Measured {
  return { name, samples: seconds.map(one => ({ seconds: one, peakMiB })) };
}

describe('a limit of the bench', () => {
  const measured = [runs('ours', [1, 1.1, 0.9], 120), runs('a', [4, 2, 5], 9), runs('b', [2, 3, 1])];

  it('holds a time to a share of a peer', () => {
    const limit: Limit = { kind: 'time', contender: 'ours', of: ['a'], most: 0.25 };
    expect(judge(limit, measured)).toEqual({ limit, value: 0.25, verdict: 'ok' });
    expect(judge({ ...limit, most: 0.24 }, measured).verdict).toBe('over');
  });

  it('holds it to the slower one of several peers, run by run', () => {
    const { value } = judge({ kind: 'time', contender: 'ours', of: ['a', 'b'], most: 1 }, measured);
    expect(value).toBeCloseTo(1 / 4);
  });

  it('takes an allowance off first', () => {
    const { value } = judge({ kind: 'time', contender: 'ours', of: ['a'], most: 1, allowance: 0.5 }, measured);
    expect(value).toBeCloseTo(0.5 / 4);
  });

  it('holds memory to its highest peak', () => {
    const peaks = [{ name: 'ours', samples: [10, 300, 20].map(peakMiB => ({ seconds: 1, peakMiB })) }];
    expect(judge({ kind: 'memory', contender: 'ours', mostMiB: 299 }, peaks)).toMatchObject({
      value: 300,
      verdict: 'over',
    });
  });

  it('is not measured where a peer, or the memory, is missing', () => {
    expect(judge({ kind: 'time', contender: 'ours', of: ['a', 'c'], most: 9 }, measured).verdict).toBe('not measured');
    expect(judge({ kind: 'memory', contender: 'b', mostMiB: 9 }, measured).verdict).toBe('not measured');
  });
});
