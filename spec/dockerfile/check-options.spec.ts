import { describe, expect, it } from 'vitest';
import { parseCheckOptions } from '../../src/dockerfile/check-options.js';

describe('parseCheckOptions', () => {
  it('reads its keys', () => {
    expect(parseCheckOptions('')).toEqual({ skip: [], experimental: [], error: false });
    expect(parseCheckOptions(' skip = A , B ; error = true;experimental=all')).toEqual({
      ...{ skip: ['A', 'B'], experimental: 'all', error: true },
    });
    expect(parseCheckOptions('skip=all;error=0;experimental=C')).toEqual({
      skip: 'all',
      experimental: ['C'],
      error: false,
    });
  });

  for (const value of ['skip', 'error', 'error=yes', 'error=', 'other=1', 'skip=A;', 'skip=A;x', '__proto__=1']) {
    it(`refuses ${value}`, () => {
      expect(() => parseCheckOptions(value)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
    });
  }
});
