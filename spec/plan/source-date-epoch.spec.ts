import { describe, expect, it } from 'vitest';
import { parseSourceDateEpoch } from '../../src/plan/source-date-epoch.js';
import { failureOf } from './support.js';

const others = new Set(['sources']);

describe('parseSourceDateEpoch', () => {
  it.each([
    ['', undefined],
    ['0', '0'],
    ['1600000000', '1600000000'],
    ['+007', '7'],
    ['-5', '-5'],
    ['9223372036854775807', '9223372036854775807'],
  ])('reads %j', (text, seconds) => {
    expect(parseSourceDateEpoch(text, others)).toBe(seconds);
  });

  it.each(['context', 'sources', 'Sources'])('knows that %s means a place to take it from', text => {
    expect(failureOf(() => parseSourceDateEpoch(text, others)).code).toBe('UNSUPPORTED');
  });

  it.each(['now', '1.5', '1e9', '0x10', ' 1', '2020-01-01', '9223372036854775808'])('refuses %s', text => {
    expect(failureOf(() => parseSourceDateEpoch(text, others)).code).toBe('INVALID_VALUE');
  });

  it('does not repeat a long value', () => {
    const failure = failureOf(() => parseSourceDateEpoch('1'.repeat(100_000), others));
    expect(failure.code).toBe('INVALID_VALUE');
    expect(failure.message.length).toBeLessThan(1000);
  });
});
