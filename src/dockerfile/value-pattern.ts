/**
 * The wildcards of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`: `*` for any text and `?` for one
 * character, neither of them a line feed; everything else stands for itself.
 */
export type ValuePattern = ReadonlyArray<{ readonly kind: 'literal'; readonly character: string } | Wildcard>;

type Wildcard = { readonly kind: 'any' } | { readonly kind: 'star' };

/** More steps than any sensible value and pattern need, and still less than a second. */
const maxWork = 1 << 26;

/** @throws Error with Go's wording when an escape is not one of `\*`, `\?`, `\\`, `\}`, `\/`. */
export function parseValuePattern(text: string): ValuePattern {
  const tokens: Array<ValuePattern[number]> = [];
  const characters = Array.from(text);
  for (let i = 0; i < characters.length; i++) {
    let character = characters[i]!;
    if (character === '*') tokens.push({ kind: 'star' });
    else if (character === '?') tokens.push({ kind: 'any' });
    else {
      if (character === '\\') {
        i += 1;
        character = characters[i] ?? '\ufffd';
        if (!'*?\\}/'.includes(character)) throw new PatternError(`invalid escape '\\${character}'`);
      }
      tokens.push({ kind: 'literal', character });
    }
  }
  return tokens;
}

/** Why a pattern cannot be used; the caller knows the word it stands in. */
export class PatternError extends Error {}

/** `value` without the shortest or longest prefix that matches. */
export function trimPrefix(value: string, pattern: ValuePattern, longest: boolean): string {
  const characters = Array.from(value);
  const end = matchEnds(characters, pattern, longest)[0]!;
  return end < 0 ? value : characters.slice(end).join('');
}

/** `value` without the shortest or longest suffix that matches. */
export function trimSuffix(value: string, pattern: ValuePattern, longest: boolean): string {
  const characters = Array.from(value).reverse();
  const end = matchEnds(characters, pattern.toReversed(), longest)[0]!;
  return end < 0 ? value : characters.slice(end).reverse().join('');
}

/** The first longest match replaced by `replacement` as it stands. */
export function replaceFirst(value: string, pattern: ValuePattern, replacement: string): string {
  const characters = Array.from(value);
  const ends = matchEnds(characters, pattern, true);
  const start = ends.findIndex(end => end >= 0);
  if (start < 0) return value;
  return characters.slice(0, start).join('') + replacement + characters.slice(ends[start]!).join('');
}

/** Every match replaced; `$0` in the replacement stands for the match. An empty match right after another is none. */
export function replaceAll(value: string, pattern: ValuePattern, replacement: string): string {
  const characters = Array.from(value);
  const ends = matchEnds(characters, pattern, true);
  let out = '';
  let copied = 0;
  for (let start = 0; start <= characters.length; start++) {
    const end = ends[start]!;
    if (end < 0) continue;
    out += characters.slice(copied, start).join('');
    if (end > copied || start === 0) out += fillTemplate(replacement, characters.slice(start, end).join(''));
    copied = end;
    if (end > start) start = end - 1;
  }
  return out + characters.slice(copied).join('');
}

/** Go's `Regexp.Expand` for an expression without groups: `$0` and `${0}` are the match, other names are empty. */
function fillTemplate(template: string, match: string): string {
  return template.replace(/\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu, (_, dollar, braced, bare) => {
    if (dollar !== undefined) return '$';
    return (braced ?? bare) === '0' ? match : '';
  });
}

/**
 * For each start, the end of the shortest or longest match there, -1 where there is none. Filled from the back, so
 * that the time is the product of both lengths whatever the pattern.
 */
function matchEnds(characters: readonly string[], pattern: ValuePattern, longest: boolean): Int32Array {
  if ((characters.length + 1) * (pattern.length + 1) > maxWork)
    throw new PatternError('value and pattern are too long');
  const ends = new Int32Array(characters.length + 1);
  let later = new Int32Array(pattern.length + 1).fill(-1);
  let row = new Int32Array(pattern.length + 1);
  for (let i = characters.length; i >= 0; i--) {
    const character = characters[i];
    row[pattern.length] = i;
    for (let j = pattern.length - 1; j >= 0; j--) {
      const token = pattern[j]!;
      const wild = character !== undefined && character !== '\n';
      if (token.kind === 'literal') row[j] = character === token.character ? later[j + 1]! : -1;
      else if (token.kind === 'any') row[j] = wild ? later[j + 1]! : -1;
      else row[j] = better(row[j + 1]!, wild ? later[j]! : -1, longest);
    }
    ends[i] = row[0]!;
    [later, row] = [row, later];
  }
  return ends;
}

function better(a: number, b: number, longest: boolean): number {
  if (a < 0 || b < 0) return Math.max(a, b);
  return longest ? Math.max(a, b) : Math.min(a, b);
}
