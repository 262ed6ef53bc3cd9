import { describe, expect, it } from 'vitest';
import { median, pairedRatio } from './statistics.js';

describe('the statistics of the bench', () => {
  it('take the middle of an odd number of values, and the mean of the middle two of an even one', () => {
    expect(median([9, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 10])).toBe(3);
    expect(median([10, 9, 100])).toBe(10);
    expect(median([])).toBeNaN();
  });

  it('pair runs, so that a machine that gets slower does not count', () => {
    expect(pairedRatio([1, 10, 100], [2, 20, 200])).toBe(0.5);
    expect(() => pairedRatio([1], [1, 2])).toThrow(RangeError);
  });
});
