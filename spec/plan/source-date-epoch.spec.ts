import { describe, expect, it } from 'vitest';
import { epochSeconds, invalidEpoch } from '../../src/plan/source-date-epoch.js';
import { failureOf } from './support.js';

describe('epochSeconds', () => {
  it.each([
    ['0', '0'],
    ['1600000000', '1600000000'],
    ['+007', '7'],
    ['-5', '-5'],
    ['9223372036854775807', '9223372036854775807'],
  ])('reads %j', (text, seconds) => {
    expect(epochSeconds(text)).toBe(seconds);
  });

  it.each(['', 'now', '1.5', '1e9', '0x10', ' 1', '2020-01-01', '9223372036854775808', 'context'])(
    'takes %j for no number',
    text => {
      expect(epochSeconds(text)).toBeUndefined();
    },
  );
});

describe('invalidEpoch', () => {
  it('does not repeat a long value', () => {
    const failure = failureOf(() => {
      throw invalidEpoch('1'.repeat(100_000));
    });
    expect(failure.code).toBe('INVALID_VALUE');
    expect(failure.message.length).toBeLessThan(1000);
  });
});
