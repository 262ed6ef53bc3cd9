import { describe, expect, it } from 'vitest';
import { cleanPathText, isSpace, quote, quoteList, trimSpace, trimSpaceStart } from '../../src/dockerfile/go-text.js';

describe('white space', () => {
  it('is that of Unicode as Go has it', () => {
    for (const character of ['\t', '\n', '\v', '\f', '\r', ' ', '\u0085', '\u00a0', '\u2003', '\u3000']) {
      expect(isSpace(character), JSON.stringify(character)).toBe(true);
    }
    for (const character of ['a', '\0', '\u200b', '\ufeff', '\x1f', '😀', '']) {
      expect(isSpace(character), JSON.stringify(character)).toBe(false);
    }
    expect(trimSpace('\u0085 a b\u3000\n')).toBe('a b');
    expect(trimSpace('\ufeffa')).toBe('\ufeffa');
    expect(trimSpace(' \t')).toBe('');
    expect(trimSpaceStart('\u00a0 a ')).toBe('a ');
    expect(trimSpaceStart('')).toBe('');
  });
});

describe('quote', () => {
  const table: ReadonlyArray<readonly [text: string, quoted: string]> = [
    ['', '""'],
    ['a b', '"a b"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\x07\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
    ['\0\x1b\x7f', '"\\x00\\x1b\\x7f"'],
    ['é한😀', '"é한😀"'],
    ['\u00a0\u200b\ufeff\u0085', '"\\u00a0\\u200b\\ufeff\\u0085"'],
    ['\u{e0001}', '"\\U000e0001"'],
    ["'`$", '"\'`$"'],
    ['\ud800', '"\ufffd"'],
  ];
  for (const [text, quoted] of table) {
    it(quoted, () => expect(quote(text)).toBe(quoted));
  }

  it('quotes lists', () => {
    expect(quoteList([])).toBe('[]');
    expect(quoteList(['a', 'b c'])).toBe('["a" "b c"]');
  });
});

describe('cleanPathText', () => {
  const table: ReadonlyArray<readonly [path: string, cleaned: string]> = [
    ['', '.'],
    ['.', '.'],
    ['./a/', 'a'],
    ['a//b/./c/..', 'a/b'],
    ['a/..', '.'],
    ['../a', '../a'],
    ['a/../../b', '../b'],
    ['../../a/..', '../..'],
    ['/', '/'],
    ['/..', '/'],
    ['//a/../b', '/b'],
    ['**/', '**'],
  ];
  for (const [path, cleaned] of table) {
    it(JSON.stringify(path), () => expect(cleanPathText(path)).toBe(cleaned));
  }
});
