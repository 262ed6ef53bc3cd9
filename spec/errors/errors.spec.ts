import { describe, expect, it } from 'vitest';
import { atPlace, isLadingError, LadingError } from '../../src/errors/errors.js';

const range = (line: number) => ({ file: 'f', start: { line, column: 1 }, end: { line, column: 1 } });
const failure = (place?: LadingError['place']) =>
  new LadingError('USAGE', 'text', { details: {}, hint: 'hint', place });

describe('atPlace', () => {
  it('gives a place to a failure that has none', () => {
    const placed = atPlace(failure(), { range: range(1), also: [range(2)] });
    expect(placed).toMatchObject({ code: 'USAGE', hint: 'hint', place: { range: range(1), also: [range(2)] } });
    expect(isLadingError(placed, 'USAGE')).toBe(true);
  });

  it('keeps the ranges of one that has a place, and adds the lines', () => {
    const placed = atPlace(failure({ range: range(1), also: [range(2)] }), { range: range(9), excerpt: 'lines' });
    expect(placed).toMatchObject({ place: { range: range(1), also: [range(2)], excerpt: 'lines' } });
    expect(atPlace(placed, { range: range(9), excerpt: 'other' })).toBe(placed);
  });

  it('lets other errors pass', () => {
    const error = new Error('text');
    expect(atPlace(error, { range: range(1) })).toBe(error);
  });
});
