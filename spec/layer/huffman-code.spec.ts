import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setCodeLengths, setCodes } from '../../src/layer/huffman-code.js';

function lengthsOf(frequencies: readonly number[], limit: number): number[] {
  const lengths = new Uint8Array(frequencies.length);
  setCodeLengths(Uint32Array.from(frequencies), limit, lengths);
  return [...lengths];
}

/** How much of all codes are taken. */
function share(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + (length === 0 ? 0 : 2 ** -length), 0);
}

const alphabet = fc.array(fc.oneof(fc.nat(3), fc.nat(1000), fc.nat(400_000)), { minLength: 19, maxLength: 288 });

describe('the codes of an alphabet', () => {
  it('are complete, within the limit, and there for what occurs', () => {
    fc.assert(
      fc.property(alphabet, fc.constantFrom(9, 11, 12, 15), (frequencies, limit) => {
        const lengths = lengthsOf(frequencies, limit);
        const used = frequencies.filter(count => count > 0).length;
        expect(Math.max(...lengths)).toBeLessThanOrEqual(limit);
        if (used > 1) {
          expect(lengths.map(length => length > 0)).toEqual(frequencies.map(count => count > 0));
          expect(share(lengths)).toBe(1);
        }
      }),
    );
  });

  it('are as short as they can be', () => {
    expect(lengthsOf([8, 4, 2, 1, 1, 0], 15)).toEqual([1, 2, 3, 4, 4, 0]);
    expect(lengthsOf([1, 1, 1, 1], 15)).toEqual([2, 2, 2, 2]);
  });

  it('are cut where they would be too long', () => {
    const lengths = lengthsOf([1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89], 5);
    expect(Math.max(...lengths)).toBe(5);
    expect(share(lengths)).toBe(1);
    expect([...lengths].sort((a, b) => b - a)).toEqual(lengths);
  });

  it('are one where there is nothing to tell apart', () => {
    expect(lengthsOf([0, 0, 7], 15)).toEqual([0, 0, 1]);
    expect(lengthsOf([0, 0, 0], 15)).toEqual([1, 0, 0]);
  });

  it('count up by length, and are written with their first bit lowest', () => {
    const codes = new Uint16Array(8);
    // The example of RFC 1951, 3.2.2.
    setCodes(Uint8Array.of(3, 3, 3, 3, 3, 2, 4, 4), codes);
    const text = ['010', '011', '100', '101', '110', '00', '1110', '1111'];
    expect([...codes]).toEqual(text.map(code => Number.parseInt([...code].reverse().join(''), 2)));
  });
});
