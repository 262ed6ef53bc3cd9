import { LadingError } from '../errors/errors.js';

/** One piece of a name pattern. Only `class` can match a slash. */
export type NameToken =
  | { readonly kind: 'literal'; readonly character: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  | ClassToken;

interface ClassToken {
  readonly kind: 'class';
  readonly negated: boolean;
  /** Code points, both ends included. */
  readonly ranges: ReadonlyArray<readonly [low: number, high: number]>;
}

/**
 * Go's `filepath.Match`: `*` and `?` for anything but a slash, `[a-z]`, `[^a-z]`, and `\` before a character that is
 * meant itself. Works on code points. The whole name must match.
 *
 * @throws LadingError INVALID_VALUE when the pattern is malformed, whatever the name
 */
export function matchName(pattern: string, name: string): boolean {
  return nameMatcher(pattern)(name);
}

/** {@link matchName} with the pattern read once. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const tokens = parseNamePattern(pattern);
  if (tokens.every(token => token.kind === 'literal')) {
    const literal = tokens.map(token => token.character).join('');
    return name => name === literal;
  }
  return name => matchTokens(tokens, Array.from(name));
}

/** Whether a path has wildcards: it is a pattern, and not only the name of a file. */
export function hasMeta(pattern: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(pattern);
}

/** @throws LadingError INVALID_VALUE */
export function parseNamePattern(pattern: string): readonly NameToken[] {
  const characters = Array.from(pattern);
  const tokens: NameToken[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at]!;
    if (character === '[') {
      const parsed = parseClass(characters, at, pattern);
      tokens.push(parsed.token);
      at = parsed.end;
      continue;
    }
    if (character === '*') tokens.push({ kind: 'star' });
    else if (character === '?') tokens.push({ kind: 'any' });
    else if (character !== '\\') tokens.push({ kind: 'literal', character });
    else {
      at += 1;
      if (at >= characters.length) throw malformed(pattern);
      tokens.push({ kind: 'literal', character: characters[at]! });
    }
    at += 1;
  }
  return tokens;
}

export function classMatches(token: ClassToken, character: string): boolean {
  const code = character.codePointAt(0)!;
  return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated;
}

function parseClass(characters: readonly string[], start: number, pattern: string): { token: ClassToken; end: number } {
  const ranges: Array<readonly [number, number]> = [];
  let at = start + 1;
  const negated = characters[at] === '^';
  if (negated) at += 1;

  /** One end of a range; a class cannot end right behind it. */
  const readBound = (): number => {
    if (characters[at] === '-' || characters[at] === ']') throw malformed(pattern);
    if (characters[at] === '\\') at += 1;
    const character = characters[at];
    at += 1;
    if (character === undefined || at >= characters.length) throw malformed(pattern);
    return character.codePointAt(0)!;
  };

  while (characters[at] !== ']' || ranges.length === 0) {
    const low = readBound();
    let high = low;
    if (characters[at] === '-') {
      at += 1;
      high = readBound();
    }
    ranges.push([low, high]);
  }
  return { token: { kind: 'class', negated, ranges }, end: at + 1 };
}

/**
 * A star first takes as little as it can and only the last star is tried again: that is how Go does it, and it keeps
 * the time to the product of both lengths.
 */
function matchTokens(tokens: readonly NameToken[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (true) {
    const current = tokens[token];
    if (current?.kind === 'star') {
      star = token;
      starAt = at;
      token += 1;
    } else if (current === undefined && at === name.length) {
      return true;
    } else if (current !== undefined && at < name.length && matchesOne(current, name[at]!)) {
      token += 1;
      at += 1;
    } else {
      if (star < 0 || starAt >= name.length || name[starAt] === '/') return false;
      starAt += 1;
      at = starAt;
      token = star + 1;
    }
  }
}

function matchesOne(token: NameToken, character: string): boolean {
  switch (token.kind) {
    case 'literal':
      return token.character === character;
    case 'class':
      return classMatches(token, character);
    default:
      return character !== '/';
  }
}

function malformed(pattern: string): LadingError<'INVALID_VALUE'> {
  return new LadingError('INVALID_VALUE', `syntax error in pattern: ${pattern}`, {
    details: { what: 'pattern', value: pattern },
    hint: 'Close the character class with ], and put a backslash before a [ or \\ that is meant itself.',
  });
}
