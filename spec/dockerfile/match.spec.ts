import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasMeta, matchName, nameMatcher } from '../../src/dockerfile/match.js';
import { isLadingError } from '../../src/errors/errors.js';

describe('matchName', () => {
  const table: ReadonlyArray<readonly [pattern: string, name: string, matches: boolean]> = [
    ['abc', 'abc', true],
    ['abc', 'abcd', false],
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'abc', true],
    ['*', 'a/b', false],
    ['*c', 'abc', true],
    ['*c', 'abcd', false],
    ['a*', 'a', true],
    ['a*', 'ab/c', false],
    ['a*', '.a', false],
    ['*', '.hidden', true],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b*c*d*e*/f', 'axbxcxdxexxx/f', true],
    ['a*b*c*d*e*/f', 'axbxcxdxe/xxx/f', false],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[^c]', 'abc', false],
    ['ab[^b-d]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['ab[!c]', 'abc', true],
    ['ab[!d]', 'ab!', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['a\\b', 'ab', true],
    ['a\\[b', 'a[b', true],
    ['a?b', 'a☺b', true],
    ['a[^a]b', 'a☺b', true],
    ['a???b', 'a☺b', false],
    ['a[^a][^a][^a]b', 'a☺b', false],
    ['a?b', 'a😀b', true],
    ['[a-ζ]*', 'α', true],
    ['*[a-ζ]', 'A', false],
    ['[😀-😂]', '😁', true],
    ['a?b', 'a/b', false],
    ['a*b', 'a/b', false],
    ['a[^x]b', 'a/b', true],
    ['[\\]a]', ']', true],
    ['[\\-]', '-', true],
    ['[x\\-]', 'x', true],
    ['[x\\-]', '-', true],
    ['[x\\-]', 'z', false],
    ['[\\-x]', '-', true],
    ['[[]', '[', true],
    ['arr[[]0].txt', 'arr[0].txt', true],
    ['[a]]', 'a]', true],
    ['[z-a]', 'b', false],
    ['*x', 'xxx', true],
    ['**', 'abc', true],
    ['a**b', 'axb', true],
    ['*a', 'ba\n', false],
    ['*\n', 'ba\n', true],
    // Only the last star is tried again.
    ['*[^a]*b', 'x/yb', false],
  ];
  for (const [pattern, name, matches] of table) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(name)}`, () => {
      expect(matchName(pattern, name)).toBe(matches);
      expect(nameMatcher(pattern)(name)).toBe(matches);
    });
  }

  for (const pattern of [
    '[]a]',
    '[-]',
    '[x-]',
    '[-x]',
    '[a-b-c]',
    '[',
    '[^',
    '[^bc',
    'a[',
    'a[x',
    '*[',
    '[]',
    '[^]',
    'a\\',
  ]) {
    it(`refuses ${pattern} whatever the name`, () => {
      for (const name of ['', 'a', 'zzz']) {
        expect(() => matchName(pattern, name)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
      }
    });
  }

  it('comes to an end where a backtracking matcher would not', () => {
    expect(matchName(`${'*a'.repeat(200)}b`, 'a'.repeat(20_000))).toBe(false);
  });

  it('matches any name escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), name => {
        expect(matchName(name.replace(/[\\*?[]/g, '\\$&'), name)).toBe(true);
      }),
    );
  });

  it('agrees with a regular expression where no class can match a slash', () => {
    const unit = fc.constantFrom('a', 'b', '*', '?', '/', '.', '[ab]', '[^a/]', '\\*', '😀');
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '*', '/', '.', '😀'), maxLength: 10 });
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 8 }), name, (units, text) => {
        const source = units.map(piece => {
          if (piece === '*') return '[^/]*';
          if (piece === '?') return '[^/]';
          return piece === '.' ? '\\.' : piece;
        });
        expect(matchName(units.join(''), text)).toBe(new RegExp(`^(?:${source.join('')})$`, 'u').test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('fails only with its own error', () => {
    const unit = fc.constantFrom('[', ']', '^', '-', '\\', '*', '?', 'a', '/');
    fc.assert(
      fc.property(fc.string({ unit }), fc.string({ unit }), (pattern, name) => {
        try {
          matchName(pattern, name);
        } catch (error) {
          expect(isLadingError(error, 'INVALID_VALUE')).toBe(true);
        }
      }),
    );
  });
});

describe('hasMeta', () => {
  for (const pattern of ['*', 'a?', '[a]', 'a\\\\*', 'a\\*b*', '[']) {
    it(`is true of ${pattern}`, () => expect(hasMeta(pattern)).toBe(true));
  }
  for (const pattern of ['', 'a', 'a\\*', '\\[a]', 'a]', 'a\\', '\\?\\*']) {
    it(`is false of ${pattern}`, () => expect(hasMeta(pattern)).toBe(false));
  }
});
