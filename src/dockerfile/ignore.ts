/**
 * Which files of a context are left out: the language of .dockerignore and of `--exclude`. Works on paths as text;
 * knows neither files nor links.
 */
import { LadingError } from '../errors/errors.js';
import { cleanPathText, trimSpace } from './go-text.js';
import { compilePathPattern, type PathPattern } from './path-pattern.js';

/** Paths are relative, without a slash at either end; the root is `''` and never left out. */
export interface IgnoreMatcher {
  /** Whether the path is left out. Fastest when paths come directory by directory. */
  ignores(path: string): boolean;
  /** Whether the directory is left out and nothing below it can be taken in again, so that it need not be read. */
  canPrune(directory: string): boolean;
  /** Whether some pattern takes paths in again (`!pattern`). */
  readonly hasExclusions: boolean;
  /** Whether one of the patterns is for every entry there is, such as `*` and `**`. */
  readonly hasCatchAll: boolean;
  /** The pattern, as written, for which the path is left out. */
  matchingPattern(path: string): string | undefined;
  /** What {@link ignoreMatcher} makes an equal one of, in another thread; absent where a file could not say it. */
  readonly text?: string | undefined;
}

/** The matcher of a list of patterns is one of the same kind. */
export type PatternMatcher = IgnoreMatcher;

/**
 * The matcher of a .dockerignore file's text.
 *
 * @throws LadingError INVALID_VALUE for a malformed pattern
 */
export function ignoreMatcher(patternsText: string): IgnoreMatcher {
  const rules: Rule[] = [];
  for (const line of patternsText.replace(/^\ufeff/, '').split('\n')) {
    const written = trimSpace(line);
    if (line.startsWith('#') || written === '') continue;
    const includes = written.startsWith('!');
    const name = includes ? trimSpace(written.slice(1)) : written;
    const cleaned = name === '' ? '' : cleanPathText(name).replace(/^\/(?=.)/, '');
    // What a file says is a list of patterns: it goes the way of such a list too.
    rules.push(...toRules(includes ? `!${cleaned}` : cleaned, written));
  }
  return { ...matcherOf(rules), text: patternsText };
}

/**
 * The matcher of a list of patterns: the values of `--exclude`. Unlike in a file, a leading slash is not taken off.
 *
 * @throws LadingError INVALID_VALUE for a malformed pattern
 */
export function patternMatcher(patterns: readonly string[]): IgnoreMatcher {
  return matcherOf(patterns.flatMap(pattern => toRules(pattern)));
}

/** Leaves out a folder, named by its path, and besides what `above` leaves out. */
export function hidingMatcher(hidden: string, above: IgnoreMatcher | undefined): IgnoreMatcher {
  const isHidden = (path: string): boolean => path === hidden || path.startsWith(`${hidden}/`);
  // As the last line of a file, where a file can name it.
  const line = /[\n\r]|^[\s#!]|\s$/.test(hidden) ? undefined : hidden.replace(/[\\*?[\]^]/g, '\\$&');
  const textAbove = above === undefined ? '' : above.text;
  return {
    ignores: path => isHidden(path) || (above?.ignores(path) ?? false),
    canPrune: directory => isHidden(directory) || (above?.canPrune(directory) ?? false),
    hasExclusions: above?.hasExclusions ?? false,
    hasCatchAll: above?.hasCatchAll ?? false,
    matchingPattern: path => (isHidden(path) ? undefined : above?.matchingPattern(path)),
    text: line === undefined || textAbove === undefined ? undefined : `${textAbove}\n${line}\n`,
  };
}

interface Rule {
  readonly written: string;
  /** `!pattern`: takes in again what earlier rules left out. */
  readonly includes: boolean;
  readonly catchesAll: boolean;
  readonly pattern: PathPattern;
}

/** The rule of a pattern, none when it is blank; `written` is how its author knows it. */
function toRules(text: string, written = trimSpace(text)): readonly Rule[] {
  const trimmed = trimSpace(text);
  if (trimmed === '') return [];
  const cleaned = cleanPathText(trimmed);
  const includes = cleaned.startsWith('!');
  const pattern = includes ? cleaned.slice(1) : cleaned;
  if (pattern === '') {
    throw new LadingError('INVALID_VALUE', `illegal exclusion pattern: "${cleaned}"`, {
      details: { what: 'ignore pattern', value: written },
      hint: 'Write the pattern to take in again right behind the !.',
    });
  }
  const catchesAll = !includes && ['*', '**', '**/*'].includes(pattern);
  return [{ written, includes, catchesAll, pattern: compilePathPattern(pattern) }];
}

/** Directories whose results are remembered; a walk needs as many as it is deep. */
const maxRemembered = 4096;

function matcherOf(rules: readonly Rule[]): IgnoreMatcher {
  const none: Results = new Uint8Array(rules.length);
  const remembered = new Map<string, Results>();

  /** The results of a directory, those of the directories above it first. */
  function resultsOf(directory: string): Results {
    let results = directory === '' ? none : remembered.get(directory);
    if (results !== undefined) return results;
    results = none;
    for (let end = 0; end >= 0; ) {
      end = directory.indexOf('/', end + 1);
      const parent = end < 0 ? directory : directory.slice(0, end);
      results = remembered.get(parent) ?? remember(parent, results);
    }
    return results;
  }

  function remember(directory: string, above: Results): Results {
    const results: Results = new Uint8Array(rules.length);
    decide(rules, directory, above, results);
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(directory, results);
    return results;
  }

  /** Index of the rule that decides about the path, -1 when none matches. */
  function decisive(path: string): number {
    return path === '' ? -1 : decide(rules, path, resultsOf(parentOf(path)));
  }

  return {
    hasExclusions: rules.some(rule => rule.includes),
    hasCatchAll: rules.some(rule => rule.catchesAll),
    ignores: path => rules[decisive(path)]?.includes === false,
    matchingPattern(path) {
      const rule = rules[decisive(path)];
      return rule?.includes === false ? rule.written : undefined;
    },
    canPrune(directory) {
      if (directory === '') return false;
      const deciding = resultsOf(directory).lastIndexOf(1);
      if (rules[deciding]?.includes !== false) return false;
      return !rules.slice(deciding + 1).some(rule => rule.includes && rule.pattern.mayMatchBelow(directory));
    },
  };
}

/** For each rule, 1 when it took part in the decision about a path and matched it or a directory above it. */
type Results = Uint8Array;

/**
 * The index of the last rule that matches, -1 when none does.
 *
 * A rule that could not change the outcome is not asked, and then does not count as matched for the paths below either:
 * `!dir` while `dir` is not left out takes nothing in again that a rule for something in `dir` leaves out.
 */
function decide(rules: readonly Rule[], path: string, above: Results, results?: Results): number {
  let deciding = -1;
  let ignored = false;
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]!;
    if (above[i] === 0 && (rule.includes !== ignored || !rule.pattern.matches(path))) continue;
    if (results !== undefined) results[i] = 1;
    deciding = i;
    ignored = !rule.includes;
  }
  return deciding;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
