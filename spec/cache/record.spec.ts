import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RecordValue, recordKey } from '../../src/cache/record.js';

describe('recordKey', () => {
  it('does not depend on the order of fields, nor on fields that are absent', () => {
    expect(recordKey({ a: 1, b: [true, null], c: undefined })).toBe(recordKey({ b: [true, null], a: 1 }));
  });

  it.each<[RecordValue, RecordValue]>([
    ['1', 1],
    [['ab'], ['a', 'b']],
    [
      ['a', 'b'],
      ['ab', ''],
    ],
    [{ a: 'b' }, ['a', 'b']],
    [{ a: null }, {}],
    ['s1:a', 'a'],
    [[[], []], [[[]]]],
    ['\udcff', '\udcfe'],
    ['\udcff', '\ufffd'],
    ['t', true],
  ])('tells %j from %j', (a, b) => expect(recordKey(a)).not.toBe(recordKey(b)));

  it('gives different records different keys', () => {
    const value = fc.letrec<{ value: RecordValue }>(tie => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: 'binary' }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    const canonical = (v: RecordValue): string =>
      JSON.stringify(v, (_, inner) =>
        inner !== null && typeof inner === 'object' && !Array.isArray(inner)
          ? Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))
          : inner,
      ) + (v !== null && typeof v === 'object' && !Array.isArray(v) ? 'object' : '');
    fc.assert(
      fc.property(value, value, (a, b) => {
        if (canonical(a) === canonical(b)) return;
        expect(recordKey(a)).not.toBe(recordKey(b));
      }),
    );
  });

  it('stays the same from version to version', () => {
    expect(recordKey({ kind: 'layer', version: 1, entries: ['a', 1, true, null] })).toBe(
      '7b84db4afbcdb9e1ac8c905e11e4f44167e89326d9c6df05079e5d2f8e23ad6d',
    );
  });
});
