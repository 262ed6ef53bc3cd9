/**
 * Variables in the arguments of Dockerfile instructions. The caller knows which arguments are expanded and with which
 * environment; this file knows only the language of one word.
 */
import { LadingError } from '../errors/errors.js';
import { quote } from './go-text.js';
import { type EscapeCharacter, type LexOptions, lexWord, SubstitutionError } from './lex-word.js';
import { printable } from './printable.js';

/** `NAME=value` entries, of which later ones win, or the same as a map. Pass a map when many words are expanded. */
export type Environment = readonly string[] | ReadonlyMap<string, string>;

export interface ExpandOptions {
  /** The file's escape character. Default `\`. */
  readonly escape?: EscapeCharacter | undefined;
  /** Gets the names that the word refers to, also when it is refused. */
  readonly usage?: VariableUsage | undefined;
}

/** Names that were referred to, whatever the modifier, in the order they were looked up. */
export interface VariableUsage {
  readonly set: Set<string>;
  readonly unset: Set<string>;
}

export function variableUsage(): VariableUsage {
  return { set: new Set(), unset: new Set() };
}

/** The map of an environment list; later entries win. */
export function environmentMap(env: Environment): ReadonlyMap<string, string> {
  if (!Array.isArray(env)) return env as ReadonlyMap<string, string>;
  const map = new Map<string, string>();
  for (const entry of env as readonly string[]) {
    const equals = entry.indexOf('=');
    if (equals < 0) map.set(entry, '');
    else map.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return map;
}

/**
 * `word` with its variables replaced and its quotes and escapes taken off. Never splits.
 *
 * @throws LadingError BAD_SUBSTITUTION
 */
export function expandWord(word: string, env: Environment, options?: ExpandOptions): string {
  if (isPlain(word)) return word;
  return lex(word, env, { escape: options?.escape ?? '\\' }, options?.usage).text;
}

/**
 * Like {@link expandWord}, then cut at white space that is neither quoted nor escaped, also where it came out of a
 * variable. EXPOSE is the one instruction that does this.
 */
export function expandWords(word: string, env: Environment, options?: ExpandOptions): readonly string[] {
  return lex(word, env, { escape: options?.escape ?? '\\', split: true }, options?.usage).words;
}

/** The body of a here-document of COPY or ADD: variables replaced and `\` taken off, quotes left as they are. */
export function expandHeredoc(body: string, env: Environment, options?: Pick<ExpandOptions, 'usage'>): string {
  if (!/[$\\]/.test(body)) return body;
  return lex(body, env, { escape: '\\', quotes: false }, options?.usage).text;
}

/** Most words have nothing to expand. */
function isPlain(word: string): boolean {
  return !/[$'"\\`]/.test(word);
}

function lex(word: string, env: Environment, options: Omit<LexOptions, 'lookup'>, usage?: VariableUsage) {
  const map = environmentMap(env);
  const lookup = (name: string): string | undefined => {
    const value = map.get(name);
    usage?.[value === undefined ? 'unset' : 'set'].add(name);
    return value;
  };
  try {
    return lexWord(word, { ...options, lookup });
  } catch (error) {
    if (!(error instanceof SubstitutionError)) throw error;
    const shown = word.length > 200 ? `${word.slice(0, 200)}…` : word;
    throw new LadingError('BAD_SUBSTITUTION', printable(`failed to process ${quote(shown)}: ${error.message}`, 1000), {
      details: { word: shown },
      hint: hintFor(error.message),
    });
  }
}

function hintFor(problem: string): string | undefined {
  if (problem.includes('-quote')) return 'Close the quote, or put a backslash before it to mean the character itself.';
  if (problem.startsWith('unsupported modifier')) {
    return 'Known modifiers are :- - :+ + :? ? # ## % %% / and //.';
  }
  if (problem.startsWith('syntax error')) return 'Write ${NAME}, or \\$ for a dollar sign.';
  return undefined;
}
