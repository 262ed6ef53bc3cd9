import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  environmentMap,
  expandHeredoc,
  expandWord,
  expandWords,
  type VariableUsage,
  variableUsage,
} from '../../src/dockerfile/expand.js';
import { isLadingError } from '../../src/errors/errors.js';

const env = ['A=old', 'EMPTY=', 'A=hello', 'P=a/b/c.tar.gz', 'S= one  two ', '한글=ok', 'STARS=a*b?c', 'B_1=x', 'D=$A'];

describe('expandWord', () => {
  const table: ReadonlyArray<readonly [word: string, expected: string]> = [
    ['', ''],
    ['plain', 'plain'],
    ['$A', 'hello'],
    ['${A}', 'hello'],
    ['x${A}y$A-z', 'xhelloyhello-z'],
    ['$A$A', 'hellohello'],
    ['$UNSET', ''],
    ['${UNSET}', ''],
    ['$B_1.x', 'x.x'],
    ['$AB', ''],
    ['$한글!', 'ok!'],
    ['$D', '$A'],
    // Special and positional parameters are never set.
    ['$1a', 'a'],
    ['$12a', 'a'],
    ['${1}a', 'a'],
    ['$@$*$#$?$-$$$!$0x', 'x'],
    ['${@}', ''],
    // A dollar sign before anything else is one.
    ['$', '$'],
    ['a$', 'a$'],
    ['$ A', '$ A'],
    ['$.', '$.'],
    ['$/$A', '$/hello'],
    ['$(A)', '$(A)'],
    ['$"A"', '$A'],
    // Defaults and alternatives.
    ['${UNSET:-w}', 'w'],
    ['${EMPTY:-w}', 'w'],
    ['${A:-w}', 'hello'],
    ['${UNSET-w}', 'w'],
    ['${EMPTY-w}', ''],
    ['${UNSET:+w}', ''],
    ['${EMPTY:+w}', ''],
    ['${A:+w}', 'w'],
    ['${UNSET+w}', ''],
    ['${EMPTY+w}', 'w'],
    ['${A:?m}', 'hello'],
    ['${EMPTY?m}', ''],
    ['${UNSET:-}', ''],
    ['${UNSET:-${EMPTY:-$A}}', 'hello'],
    ['${UNSET:-a b}', 'a b'],
    ['${UNSET:-"a}b"}', 'a}b'],
    ["${UNSET:-'$A'}", '$A'],
    ['${UNSET:-a\\}b}', 'a}b'],
    ['${UNSET:-<<x}', '<<x'],
    // Prefixes and suffixes.
    ['${P#*/}', 'b/c.tar.gz'],
    ['${P##*/}', 'c.tar.gz'],
    ['${P%.*}', 'a/b/c.tar'],
    ['${P%%.*}', 'a/b/c'],
    ['${P#nomatch}', 'a/b/c.tar.gz'],
    ['${P%nomatch}', 'a/b/c.tar.gz'],
    ['${A#?}', 'ello'],
    ['${A%?}', 'hell'],
    ['${A#}', 'hello'],
    ['${A##*}', ''],
    ['${A#*}', 'hello'],
    ['${A%%*}', ''],
    ['${A%*}', 'hello'],
    ['${A#$B_1}', 'hello'],
    ['${P#${UNSET:-a}/}', 'b/c.tar.gz'],
    ['${STARS#a\\*}', 'b?c'],
    ['${STARS%\\?c}', 'a*b'],
    ['${P#a\\/}', 'b/c.tar.gz'],
    ['${UNSET#x}', ''],
    ['${A#[h]}', 'hello'],
    ['${A#h.*}', 'hello'],
    // Replacement.
    ['${A/l/L}', 'heLlo'],
    ['${A//l/L}', 'heLLo'],
    ['${A/l/}', 'helo'],
    ['${A//l/}', 'heo'],
    ['${A/l*/_}', 'he_'],
    ['${A//?/_}', '_____'],
    ['${A/x/y}', 'hello'],
    ['${A//l/$B_1}', 'hexxo'],
    ['${P//\\//-}', 'a-b-c.tar.gz'],
    ['${A/#h/x}', 'hello'],
    ['${A/%o/x}', 'hello'],
    ["${A//l/'<$0>'}", 'he<l><l>o'],
    ["${A//l/'[${0}$$$1$x$]'}", 'he[l$$][l$$]o'],
    ["${A/l/'<$0>'}", 'he<$0>lo'],
    ['${A///-}', '-h-e-l-l-o-'],
    ['${EMPTY//*/x}', 'x'],
    ['${A//*/x}', 'x'],
    ['${UNSET/a/b}', ''],
    // Quotes and escapes.
    ["'$A'", '$A'],
    ["'a\\b'", 'a\\b'],
    ['"$A"', 'hello'],
    ['"${A}\'s"', "hello's"],
    ['"\\$A"', '$A'],
    ['"\\""', '"'],
    ['"\\\\"', '\\'],
    ['"\\n"', '\\n'],
    ['"a\\ b"', 'a\\ b'],
    ['\\$A', '$A'],
    ['\\t', 't'],
    ['\\\\', '\\'],
    ['a\\', 'a'],
    ["\\'a\\'", "'a'"],
    ["it\\'s", "it's"],
    ['a"b"\'c\'', 'abc'],
    ['""', ''],
    ['"a b"', 'a b'],
    ['😀$A😀', '😀hello😀'],
    ['${UNSET:-😀}', '😀'],
    ['%s $A', '%s hello'],
  ];
  for (const [word, expected] of table) {
    it(`${word} is ${expected}`, () => expect(expandWord(word, env)).toBe(expected));
  }

  it("takes the file's escape character", () => {
    const options = { escape: '`' } as const;
    expect(expandWord('`$A \\$A', env, options)).toBe('$A \\hello');
    expect(expandWord('"`$A`"\\"', env, options)).toBe('$A"\\');
    expect(expandWord('C:\\dir`\\x', env, options)).toBe('C:\\dir\\x');
  });

  it('takes a map for the environment', () => {
    expect(expandWord('$A-$B', new Map([['A', 'x']]))).toBe('x-');
    expect([...environmentMap(['A=1', 'B', 'A=2=3', '=x'])]).toEqual([
      ['A', '2=3'],
      ['B', ''],
      ['', 'x'],
    ]);
  });

  it('is not confused by names of object members', () => {
    expect(expandWord('$constructor${__proto__:-x}$toString', [])).toBe('x');
  });

  const refused: ReadonlyArray<readonly [word: string, problem: string]> = [
    ['${}', 'syntax error: bad substitution'],
    ['${:}', 'syntax error: bad substitution'],
    ['${:-x}', 'syntax error: bad substitution'],
    ['${{A}', 'syntax error: bad substitution'],
    ['${', "syntax error: missing '}'"],
    ['${A', 'unsupported modifier (\ufffd) in substitution'],
    ['${A:-', "syntax error: missing '}'"],
    ['${A:-x', "syntax error: missing '}'"],
    ["${A:-'x}", "syntax error: missing '}'"],
    ['${A:-${B}', "syntax error: missing '}'"],
    ['${A:', "syntax error: missing '}'"],
    ['${A#x', "syntax error: missing '}'"],
    ['${A/x}', "syntax error: missing '/' in ${}"],
    ['${A/x', "syntax error: missing '/' in ${}"],
    ['${A/x/y', "syntax error: missing '}'"],
    ['${A:=x}', 'unsupported modifier (:=) in substitution'],
    ['${A=x}', 'unsupported modifier (=) in substitution'],
    ['${A:1}', 'unsupported modifier (:1) in substitution'],
    ['${A:1:2}', 'unsupported modifier (:1) in substitution'],
    ['${A^^}', 'unsupported modifier (^) in substitution'],
    ['${A,,}', 'unsupported modifier (,) in substitution'],
    ['${A@Q}', 'unsupported modifier (@) in substitution'],
    ['${#A}', 'unsupported modifier (A) in substitution'],
    ['${!A}', 'unsupported modifier (A) in substitution'],
    ['${A:#x}', 'unsupported modifier (:#) in substitution'],
    ['${A:%x}', 'unsupported modifier (:%) in substitution'],
    ['${A!x}', 'unsupported modifier (!) in substitution'],
    ['${UNSET:?}', 'UNSET: is not allowed to be unset'],
    ['${UNSET?}', 'UNSET: is not allowed to be unset'],
    ['${EMPTY:?}', 'EMPTY: is not allowed to be empty'],
    ['${UNSET:?custom $A}', 'UNSET: custom hello'],
    ['${EMPTY:?"custom error"}', 'EMPTY: custom error'],
    ['${A#\\x}', "invalid pattern (\\x) in substitution: invalid escape '\\x'"],
    ['${A/\\x/y}', "invalid pattern (\\x) in substitution: invalid escape '\\x'"],
    ["${A#'x\\'}", "invalid pattern (x\\) in substitution: invalid escape '\\\ufffd'"],
    ["'abc", 'unexpected end of statement while looking for matching single-quote'],
    ['"abc', 'unexpected end of statement while looking for matching double-quote'],
    ['"abc\\"', 'unexpected end of statement while looking for matching double-quote'],
    ['"abc\\', 'unexpected end of statement while looking for matching double-quote'],
  ];
  for (const [word, problem] of refused) {
    it(`refuses ${word}`, () => {
      const error = errorOf(() => expandWord(word, env));
      expect(isLadingError(error, 'BAD_SUBSTITUTION')).toBe(true);
      expect((error as Error).message.endsWith(`: ${problem}`), (error as Error).message).toBe(true);
      expect(error).toMatchObject({ details: { word } });
    });
  }

  it('bounds nesting and growth', () => {
    const nested = `${'${U:-'.repeat(100_000)}x${'}'.repeat(100_000)}`;
    expect(
      isLadingError(
        errorOf(() => expandWord(nested, [])),
        'BAD_SUBSTITUTION',
      ),
    ).toBe(true);
    const big = new Map([['B', 'x'.repeat(9 * 1024 * 1024)]]);
    for (const word of ['$B$B', '"$B$B"', '${U:-$B$B}']) {
      expect(
        isLadingError(
          errorOf(() => expandWord(word, big)),
          'BAD_SUBSTITUTION',
        ),
        word,
      ).toBe(true);
    }
    const stars = '*a'.repeat(2000);
    const long = new Map([['L', 'a'.repeat(100_000)]]);
    expect(
      isLadingError(
        errorOf(() => expandWord(`\${L##${stars}}`, long)),
        'BAD_SUBSTITUTION',
      ),
    ).toBe(true);
  });

  it('stays fast for patterns that a backtracking matcher cannot bear', () => {
    const value = new Map([['V', 'a'.repeat(5000)]]);
    expect(expandWord(`\${V##${'*a'.repeat(50)}*b}`, value)).toHaveLength(5000);
  });
});

describe('variableUsage', () => {
  const usageOf = (work: (usage: VariableUsage) => string) => {
    const usage = variableUsage();
    const text = work(usage);
    return { text, set: [...usage.set], unset: [...usage.unset] };
  };

  it('gets the names that a word refers to, once', () => {
    expect(usageOf(usage => expandWord('$B$A${C:-$B$E}"$F"\'$G\'', env, { usage }))).toEqual({
      text: 'hello$G',
      set: ['A'],
      unset: ['B', 'E', 'C', 'F'],
    });
    expect(usageOf(usage => expandWord('plain', env, { usage }))).toEqual({ text: 'plain', set: [], unset: [] });
    expect(usageOf(usage => expandWord('${EMPTY:-x}', env, { usage })).set).toEqual(['EMPTY']);
    expect(usageOf(usage => expandHeredoc('$A$B\n', env, { usage }))).toEqual({
      text: 'hello\n',
      set: ['A'],
      unset: ['B'],
    });
  });

  it('gets them from a word that is refused too', () => {
    const usage = variableUsage();
    errorOf(() => expandWord('${X:?needed}', env, { usage }));
    expect([...usage.unset]).toEqual(['X']);
  });
});

describe('expandWords', () => {
  const table: ReadonlyArray<readonly [word: string, expected: readonly string[]]> = [
    ['', []],
    ['a b', ['a', 'b']],
    ['  a\t b \n', ['a', 'b']],
    ['$S', ['one', 'two']],
    ['x$S', ['x', 'one', 'two']],
    ['x${S}y', ['x', 'one', 'two', 'y']],
    ['"$S"', [' one  two ']],
    ["'a b'c d", ['a bc', 'd']],
    ['a\\ b c', ['a b', 'c']],
    ['$UNSET', []],
    ['""', []],
    ['a "" b', ['a', 'b']],
    ['80${UNSET:-81 82}', ['8081', '82']],
    ['<< EOF x', ['<< EOF', 'x']],
    ['a < b', ['a', '<', 'b']],
    ['a\u00a0b\u2003c', ['a', 'b', 'c']],
  ];
  for (const [word, expected] of table) {
    it(JSON.stringify(word), () => expect(expandWords(word, env)).toEqual(expected));
  }
});

describe('expandHeredoc', () => {
  it('replaces variables, keeps quotes and takes off backslashes', () => {
    const body = 'a "$A" \'${A}\'\n\\$A \\\\ \\x `$A`\n"open\n${UNSET:-"d"}\n';
    expect(expandHeredoc(body, env)).toBe('a "hello" \'hello\'\n$A \\ x `hello`\n"open\n"d"\n');
    expect(expandHeredoc('as it "is"\n', env)).toBe('as it "is"\n');
  });

  it('refuses what a word refuses', () => {
    expect(
      isLadingError(
        errorOf(() => expandHeredoc('${A', env)),
        'BAD_SUBSTITUTION',
      ),
    ).toBe(true);
  });
});

describe('properties', () => {
  const values = fc.dictionary(
    fc.constantFrom('A', 'B', 'C1', '_d'),
    fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '*', '?', ' ', '😀', '\n', '\\', '$'), maxLength: 8 }),
  );
  const piece = fc.constantFrom(
    ...[
      '$',
      '{',
      '}',
      '${',
      ':',
      '-',
      '+',
      '?',
      '#',
      '%',
      '/',
      "'",
      '"',
      '\\',
      '`',
      'A',
      'B',
      'C1',
      '_d',
      'U',
      ' ',
      '*',
    ],
    ...[
      'a',
      'b',
      '.',
      '${A',
      '${A}',
      '${U:-',
      '${B:+',
      '${A#',
      '${A##',
      '${A%',
      '${A%%',
      '${A/',
      '${A//',
      '😀',
      '<',
      '<<',
    ],
  );
  const words = fc.array(piece, { maxLength: 14 }).map(pieces => pieces.join(''));

  it('agrees with a direct reading of the rules', () => {
    fc.assert(
      fc.property(words, values, fc.constantFrom('\\' as const, '`' as const), (word, record, escapeChar) => {
        const map = new Map(Object.entries(record));
        const expected = outcome(() => referenceExpand(word, map, escapeChar));
        expect(outcome(() => expandWord(word, map, { escape: escapeChar }))).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves quoted text as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const quoted = `'${text.replaceAll("'", "'\\''")}'`;
        expect(expandWord(quoted, env)).toBe(text);
        if (text !== '') expect(expandWords(quoted, env)).toEqual([text]);
      }),
    );
  });

  it('fails only with its own error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        for (const expand of [expandWord, expandWords, expandHeredoc]) {
          const error = errorOf(() => expand(text, env));
          expect(error === undefined || isLadingError(error, 'BAD_SUBSTITUTION')).toBe(true);
        }
      }),
    );
  });
});

function errorOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

function outcome(run: () => string): string | { readonly failed: true } {
  try {
    return run();
  } catch {
    return { failed: true };
  }
}

/** The rules written down a second time, with regular expressions and copies of the rest of the text. */
function referenceExpand(word: string, env: ReadonlyMap<string, string>, escapeChar: string): string {
  let rest = word;
  const take = (pattern: RegExp): string | undefined => {
    const found = new RegExp(`^(?:${pattern.source})`, pattern.flags).exec(rest)?.[0];
    if (found !== undefined) rest = rest.slice(found.length);
    return found;
  };
  const fail = (): never => {
    throw new Error('refused');
  };
  const anything = /./su;

  const until = (end: string | undefined, raw: boolean): string => {
    let out = '';
    while (rest !== '') {
      if (end !== undefined && rest.startsWith(end)) {
        rest = rest.slice(end.length);
        return out;
      }
      if (rest.startsWith('$')) out += dollar();
      else if (rest.startsWith("'")) out += (take(/'[^']*'/) ?? fail()).slice(1, -1);
      else if (rest.startsWith('"')) out += double(raw);
      else if (rest.startsWith(escapeChar)) {
        rest = rest.slice(1);
        out += (raw ? escapeChar : '') + (take(anything) ?? '');
      } else out += take(anything)!;
    }
    return end === undefined ? out : fail();
  };
  const double = (raw: boolean): string => {
    rest = rest.slice(1);
    let out = '';
    while (!rest.startsWith('"')) {
      if (rest === '') fail();
      if (rest.startsWith('$')) out += dollar();
      else if (rest.startsWith(escapeChar) && rest.length > 1 && ['"', '$', escapeChar].includes(rest[1]!)) {
        out += (raw ? escapeChar : '') + rest[1]!;
        rest = rest.slice(2);
      } else out += take(anything)!;
    }
    rest = rest.slice(1);
    return out;
  };
  const name = () => take(/\p{Nd}+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*/u) ?? '';
  const dollar = (): string => {
    rest = rest.slice(1);
    if (!rest.startsWith('{')) {
      const variable = name();
      return variable === '' ? '$' : (env.get(variable) ?? '');
    }
    rest = rest.slice(1);
    if (rest === '' || /^[{}:]/.test(rest)) fail();
    const variable = name();
    const value = env.get(variable);
    const modifier = take(/\}|:?[-+?]|##|#|%%|%|\/\/|\//) ?? fail();
    if (modifier === '}') return value ?? '';
    if (modifier.startsWith('/')) {
      const pattern = toRegExp(until('/', true), '');
      const replacement = until('}', true);
      const template = (match: string) =>
        replacement.replace(/\$\$|\$\{[\p{L}\p{Nd}_]+\}|\$[\p{L}\p{Nd}_]+/gu, reference =>
          reference === '$$' ? '$' : reference === '$0' || reference === '${0}' ? match : '',
        );
      if (modifier === '/') return (value ?? '').replace(pattern, () => replacement);
      let end = -1;
      return (value ?? '').replace(new RegExp(pattern.source, 'gu'), (match, offset: number) => {
        const abuts = match === '' && offset === end;
        end = offset + match.length;
        return abuts ? '' : template(match);
      });
    }
    if (/^[#%]/.test(modifier)) {
      // Whether it is the long form is seen once the pattern is expanded.
      rest = modifier.slice(1) + rest;
      let pattern = until('}', true);
      const long = pattern.startsWith(modifier[0]!);
      if (long) pattern = pattern.slice(1);
      const regExp = toRegExp(pattern, '^');
      const characters = Array.from(value ?? '');
      const cuts = Array.from({ length: characters.length + 1 }, (_, i) => i);
      const whole = new RegExp(`^(?:${regExp.source.slice(1)})$`, 'u');
      const prefix = modifier.startsWith('#');
      const fits = (cut: number) =>
        whole.test(prefix ? characters.slice(0, cut).join('') : characters.slice(characters.length - cut).join(''));
      const cut = (long ? cuts.reverse() : cuts).find(fits) ?? 0;
      return (prefix ? characters.slice(cut) : characters.slice(0, characters.length - cut)).join('');
    }
    const operand = until('}', false);
    const unset = value === undefined || (modifier.startsWith(':') && value === '');
    if (modifier.endsWith('-')) return unset ? operand : value!;
    if (modifier.endsWith('+')) return unset ? '' : operand;
    return unset ? fail() : value!;
  };
  const toRegExp = (pattern: string, anchor: string): RegExp => {
    const source = pattern.replace(/\\(.)|./gsu, (text, escaped) => {
      if (text === '*') return '[^\\n]*';
      if (text === '?') return '[^\\n]';
      if (escaped !== undefined && !'*?\\}/'.includes(escaped)) fail();
      if (text === '\\') fail();
      return (escaped ?? text).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    });
    return new RegExp(anchor + source, 'u');
  };
  return until(undefined, false);
}
