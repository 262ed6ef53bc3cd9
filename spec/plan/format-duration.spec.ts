import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/dockerfile/duration.js';
import { formatDuration } from '../../src/plan/format-duration.js';

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [1, '1ns'],
    [999, '999ns'],
    [1000, '1\u00b5s'],
    [1_500, '1.5\u00b5s'],
    [1_000_000, '1ms'],
    [2_500_000, '2.5ms'],
    [999_999_999, '999.999999ms'],
    [1e9, '1s'],
    [1_500_000_000, '1.5s'],
    [59_999_000_000, '59.999s'],
    [60e9, '1m0s'],
    [90e9, '1m30s'],
    [3_600e9, '1h0m0s'],
    [3_600e9 + 1e9, '1h0m1s'],
    [100 * 3_600e9 + 61.25e9, '100h1m1.25s'],
  ])('prints %d as %s', (nanoseconds, text) => {
    expect(formatDuration(nanoseconds)).toBe(text);
  });

  it('prints what reads back as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.constantFrom(1, 1e3, 1e6, 1e9, 60e9), (count, unit) => {
        expect(parseDuration(formatDuration(count * unit))).toBe(count * unit);
      }),
    );
  });
});
