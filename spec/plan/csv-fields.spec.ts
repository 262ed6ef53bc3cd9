import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvFields } from '../../src/plan/csv-fields.js';
import { failureOf } from './support.js';

describe('csvFields', () => {
  it.each([
    ['a', ['a']],
    ['a,b=c', ['a', 'b=c']],
    ['a,', ['a', '']],
    [',', ['', '']],
    ['"a,b",c', ['a,b', 'c']],
    ['""', ['']],
    ['"",""', ['', '']],
    ['"a""b"', ['a"b']],
    ['""""', ['"']],
    [' a , b ', [' a ', ' b ']],
  ])('reads %s', (line, fields) => {
    expect(csvFields(line)).toEqual(fields);
  });

  it.each(['', '"', '"a', 'a"b', 'a,b"', '"a"b', '"a" ,b', '"""'])('refuses %j', line => {
    expect(failureOf(() => csvFields(line)).code).toBe('INVALID_VALUE');
  });

  it('reads back what was quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), fields => {
        const line = fields.map(field => `"${field.replaceAll('"', '""')}"`).join(',');
        expect(csvFields(line)).toEqual(fields);
      }),
    );
  });
});
