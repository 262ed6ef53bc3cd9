import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ignoreMatcher, patternMatcher } from '../../src/dockerfile/ignore.js';
import { compilePathPattern } from '../../src/dockerfile/path-pattern.js';
import { isLadingError } from '../../src/errors/errors.js';

describe('patterns', () => {
  const table: ReadonlyArray<readonly [pattern: string, path: string, matches: boolean]> = [
    ['**', 'file', true],
    ['**', 'dir/file', true],
    ['**/**', 'file', true],
    ['**/**', 'dir/file', true],
    ['dir/**', 'dir/file', true],
    ['dir/**', 'dir/dir2/file', true],
    ['dir/**', 'dir', false],
    ['dir/**', 'dirx/file', false],
    ['dir**', 'dirx/file', true],
    ['**/dir', 'dir', true],
    ['**/dir', 'a/b/dir', true],
    ['**/dir', 'a/xdir', false],
    ['**/dir2/*', 'dir/dir2/file', true],
    ['**/dir2/*', 'dir/dir2', false],
    ['**/dir2/**', 'dir/dir2/dir2/file', true],
    ['**file', 'file', true],
    ['**file', 'dir/file', true],
    ['**file', 'dir/xfile', true],
    ['**/file', 'dir/xfile', false],
    ['**file', 'dir/dir.file', true],
    ['**/file', 'dir/dir/file', true],
    ['**/file*', 'dir/dir/file.txt', true],
    ['**/file*txt', 'dir/dir/file.txt', true],
    ['**/file*.txt*', 'dir/dir/file.txt', true],
    ['**file*', 'dir/xfile', false],
    ['**/**/*.txt', 'dir/dir/file.txt', true],
    ['**/**/*.txt2', 'dir/dir/file.txt', false],
    ['**/*.txt', 'file.txt', true],
    ['**/**/*.txt', 'file.txt', true],
    ['a**/*.txt', 'a/file.txt', true],
    ['a**/*.txt', 'a/dir/file.txt', true],
    ['a**/*.txt', 'a/dir/file2.txt2', false],
    ['a**b', 'a/x/b', true],
    ['a**b', 'axx/b', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/*.txt', 'a/dir/file.txt', false],
    ['a/*.txt', 'a/file.txt', true],
    ['a[b-d]e', 'ae', false],
    ['a[b-d]e', 'ace', true],
    ['a[^b-d]e', 'ace', false],
    ['a[^b-d]e', 'aze', true],
    ['[a*]c', 'c', false],
    ['[a*]c', '*c', true],
    ['[*][*]', '**', true],
    ['abc.def', 'abcdef', false],
    ['abc.def', 'abcZdef', false],
    ['abc?def', 'abcZdef', true],
    ['abc?def', 'abcdef', false],
    ['a\\\\', 'a\\', true],
    ['\\*\\*', '**', true],
    ['\\**', '*x/y', false],
    ['a\\*b', 'axb', false],
    ['**/foo/bar', 'foo/bar', true],
    ['**/foo/bar', 'dir/dir2/foo/bar', true],
    ['abc/**', 'abc', false],
    ['abc/**', 'abc/def/ghi', true],
    ['**/.foo', '.foo', true],
    ['**/.foo', 'bar.foo', false],
    ['a(b)c/def', 'a(b)c/def', true],
    ['a(b)c/def', 'a(b)c/xyz', false],
    ['a.|)$(}+{bc', 'a.|)$(}+{bc', true],
    ['a|b*', 'a', false],
    ['a^b*', 'a^bc', true],
    [
      'dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl',
      'dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl',
      true,
    ],
    ['dist/*.whl', 'dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl', true],
    ['a\\*b', 'a*b', true],
    ['foo', 'a/foo', false],
    ['*/temp*', 'a/temp1', true],
    ['*/temp*', 'a/b/temp1', false],
    ['temp?', 'tempa', true],
    ['Foo', 'foo', false],
    ['?', '😀', true],
    ['..', 'a', false],
    ['../a', 'a', false],
    ['.', 'a', false],
    ['/', 'a', false],
    ['***', 'a/b/c', true],
    ['[[:alpha:]]x', 'a]x', true],
  ];
  for (const [pattern, path, matches] of table) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${path}`, () => {
      // Asked as if nothing above the path was matched: below a match everything is.
      expect(compilePathPattern(pattern).matches(path)).toBe(matches);
    });
  }

  for (const pattern of ['a[', '[]a]', 'x\\', '!a[b', '**/[']) {
    it(`refuses ${pattern}`, () => {
      expect(() => ignoreMatcher(`ok\n${pattern}\n`)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
      expect(() => patternMatcher([pattern])).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
    });
  }

  it('refuses an exclamation mark alone', () => {
    for (const text of ['!', ' ! ', 'a\n!\nb']) {
      expect(() => ignoreMatcher(text)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
    }
    expect(() => patternMatcher(['!'])).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
    // A line is cleaned by itself first, and then again as the pattern that it makes.
    for (const text of ['!/', '!/ ', '/!']) {
      expect(() => ignoreMatcher(text)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
    }
  });
});

describe('ignoreMatcher', () => {
  const left = (text: string, paths: readonly string[]) => paths.filter(path => ignoreMatcher(text).ignores(path));

  it('reads lines: comments, spaces, line ends, a byte order mark', () => {
    const text = '\ufeff# comment\r\n  a  \r\n #b\r\n\r\n\t\n./c/\n/d\n//e//f/\n! a/x \n!/d\n';
    expect(left(text, ['# comment', 'a', 'a/y', 'a/x', '#b', 'c', 'c/z', 'd', 'e/f', 'e'])).toEqual([
      ...['a', 'a/y', '#b', 'c', 'c/z', 'e/f'],
    ]);
  });

  it('leaves out what is below a match, and nothing at other depths', () => {
    expect(left('node_modules\n', ['node_modules', 'node_modules/a/b', 'a/node_modules', 'node_modules2'])).toEqual([
      'node_modules',
      'node_modules/a/b',
    ]);
  });

  it('lets the last match decide', () => {
    const paths = ['a.md', 'README.md', 'README-secret.md'];
    expect(left('*.md\n!README*.md\nREADME-secret.md', paths)).toEqual(['a.md', 'README-secret.md']);
    expect(left('*.md\nREADME-secret.md\n!README*.md', paths)).toEqual(['a.md']);
    expect(left('*\n!keep\n!dir/file', ['keep', 'keep/x', 'dir', 'dir/file', 'dir/other'])).toEqual([
      'dir',
      'dir/other',
    ]);
    expect(left('a\n!a/b\na/b/c', ['a', 'a/b', 'a/b/c', 'a/b/d'])).toEqual(['a', 'a/b/c']);
  });

  it('does not let an exclusion of a directory that was not left out reach into it', () => {
    expect(left('a/b\n!a\n', ['a', 'a/b', 'a/b/c'])).toEqual(['a/b', 'a/b/c']);
    expect(left('a\na/b\n!a\n', ['a', 'a/b'])).toEqual([]);
  });

  it('never leaves out the root', () => {
    for (const text of ['*', '**', '.', '/', '']) expect(ignoreMatcher(text).ignores('')).toBe(false);
    expect(ignoreMatcher('**').canPrune('')).toBe(false);
  });

  it('does not depend on the order of questions', () => {
    const text = '**/a\n!b/**\nb/c\n';
    const paths = ['b/a/x', 'a', 'b', 'b/c/a', 'x/a/b', 'b/a'];
    const expected = paths.map(path => ignoreMatcher(text).ignores(path));
    const matcher = ignoreMatcher(text);
    expect(
      paths
        .toReversed()
        .map(path => matcher.ignores(path))
        .reverse(),
    ).toEqual(expected);
    expect(paths.map(path => matcher.ignores(path))).toEqual(expected);
  });

  it('names the pattern', () => {
    const matcher = ignoreMatcher('# c\n /a \nb/*\n!b/c\n');
    expect(matcher.matchingPattern('a/x')).toBe('/a');
    expect(matcher.matchingPattern('b/x')).toBe('b/*');
    expect(matcher.matchingPattern('b/c')).toBeUndefined();
    expect(matcher.matchingPattern('c')).toBeUndefined();
    expect(matcher.matchingPattern('')).toBeUndefined();
  });

  it('says whether it takes anything in again', () => {
    expect(ignoreMatcher('a\nb').hasExclusions).toBe(false);
    expect(ignoreMatcher('a\n!b').hasExclusions).toBe(true);
  });
});

describe('patternMatcher', () => {
  it('takes patterns as they are', () => {
    const matcher = patternMatcher([' *.txt ', '', '!keep.txt', '/rooted']);
    expect(['a.txt', 'keep.txt', 'rooted', 'd/a.txt'].filter(matcher.ignores)).toEqual(['a.txt']);
  });
});

describe('canPrune', () => {
  const table: ReadonlyArray<readonly [text: string, directory: string, prunes: boolean]> = [
    ['a', 'a', true],
    ['a', 'a/b', true],
    ['a', 'b', false],
    ['a\n!b', 'a', true],
    ['a\n!a/b', 'a', false],
    ['a\n!a/b', 'a/c', true],
    ['a\n!a/b', 'a/b', false],
    ['a\n!a/b/c', 'a/b', false],
    ['a\n!ab', 'a', true],
    ['*\n!src/**/*.ts', 'node_modules', true],
    ['*\n!src/**/*.ts', 'src', false],
    ['*\n!src/**/*.ts', 'src/x', false],
    ['*\n!**/*.ts', 'node_modules', false],
    ['*\n!*/x', 'a', false],
    ['*\n!*/x', 'a/b', true],
    ['*\n![a-c]/x', 'b', false],
    ['*\n![a-c]/x', 'd', true],
    ['*\n!*.md', 'a', true],
    ['!a/b\na', 'a', true],
    ['a\n!a/b\na*', 'a', false],
    ['a\n!a', 'a', false],
    ['a/**', 'a', false],
    ['a/**', 'a/b', true],
    ['a\n!a/b*', 'a', false],
    ['a\n!**b', 'a', false],
  ];
  for (const [text, directory, prunes] of table) {
    it(`${JSON.stringify(text)}: ${directory} ${prunes ? 'is' : 'is not'} pruned`, () => {
      expect(ignoreMatcher(text).canPrune(directory)).toBe(prunes);
    });
  }
});

describe('properties', () => {
  const component = fc.constantFrom(
    'a',
    'b',
    'ab',
    'a.b',
    '*',
    '**',
    'a*',
    '*b',
    '?',
    '[ab]',
    '[^a]',
    '\\*',
    '**b',
    'a**',
  );
  const pattern = fc
    .tuple(fc.boolean(), fc.array(component, { minLength: 1, maxLength: 4 }))
    .map(([includes, components]) => (includes ? '!' : '') + components.join('/'));
  const path = fc
    .array(fc.constantFrom('a', 'b', 'ab', 'a.b', '*', 'c'), { minLength: 1, maxLength: 5 })
    .map(components => components.join('/'));

  it('agrees with regular expressions and a walk from the root', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 5 }), fc.array(path, { maxLength: 8 }), (patterns, paths) => {
        const matcher = ignoreMatcher(patterns.join('\n'));
        for (const one of paths) expect(matcher.ignores(one), one).toBe(referenceIgnores(patterns, one));
      }),
      { numRuns: 3000 },
    );
  });

  it('prunes only what holds nothing that is kept', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 5 }), path, path, (patterns, directory, below) => {
        const matcher = ignoreMatcher(patterns.join('\n'));
        if (matcher.canPrune(directory)) {
          expect(matcher.ignores(directory)).toBe(true);
          expect(matcher.ignores(`${directory}/${below}`)).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('reads any text or refuses it with its own error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), path, (text, one) => {
        try {
          ignoreMatcher(text).ignores(one);
        } catch (error) {
          expect(isLadingError(error, 'INVALID_VALUE')).toBe(true);
        }
      }),
    );
  });

  it('stays fast for patterns that a backtracking matcher cannot bear', () => {
    const matcher = ignoreMatcher(`${'**/a*'.repeat(30)}b\n${'*a'.repeat(30)}*b\n`);
    for (let i = 0; i < 20; i++) expect(matcher.ignores(`${'a/'.repeat(500)}${i}`)).toBe(false);
  });
});

function parents(path: string): string[] {
  const components = path.split('/');
  return components.slice(1).map((_, i) => components.slice(0, i + 1).join('/'));
}

/** Rule by rule as documented, each pattern a regular expression, each directory on the way asked first. */
function referenceIgnores(patterns: readonly string[], path: string): boolean {
  const rules = patterns.map(written => {
    const includes = written.startsWith('!');
    return { includes, expression: toRegExp(includes ? written.slice(1) : written) };
  });
  let above = rules.map(() => false);
  let ignored = false;
  for (const one of [...parents(path), path]) {
    ignored = false;
    above = rules.map(({ includes, expression }, i) => {
      const matches = above[i]! || (includes === ignored && expression.test(one));
      if (matches) ignored = !includes;
      return matches;
    });
  }
  return ignored;
}

function toRegExp(pattern: string): RegExp {
  if (/^\*\*(?!\/)[^*?[\]\\]+$/.test(pattern)) return new RegExp(`${quoteRegExp(pattern.slice(2))}$`);
  let source = '';
  for (let rest = pattern; rest !== ''; ) {
    const [token] = /^(?:\*\*\/?|\*|\?|\[[^\]]*\]|\\.|.)/.exec(rest)!;
    rest = rest.slice(token.length);
    if (token.startsWith('**')) source += rest === '' ? '.*' : '(?:.*/)?';
    else if (token === '*') source += '[^/]*';
    else if (token === '?') source += '[^/]';
    else if (token.startsWith('[')) source += token;
    else source += quoteRegExp(token.at(-1)!);
  }
  return new RegExp(`^${source}$`);
}

function quoteRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
