import {
  PatternError,
  parseValuePattern,
  replaceAll,
  replaceFirst,
  trimPrefix,
  trimSuffix,
  type ValuePattern,
} from './value-pattern.js';
import { WordSplitter } from './word-splitter.js';

export type EscapeCharacter = '\\' | '`';

export interface LexOptions {
  readonly escape: EscapeCharacter;
  /** The value of a variable, `undefined` when it is not set. */
  readonly lookup: (name: string) => string | undefined;
  /** `false` takes quotes for ordinary characters. Default `true`. */
  readonly quotes?: boolean | undefined;
  /** Quotes group, and stay in the result. Default `false`. */
  readonly keepQuotes?: boolean | undefined;
  /** Escape characters work, and stay in the result. Default `false`. */
  readonly keepEscapes?: boolean | undefined;
  /** References to variables that are not set stay as they are. Default `false`: they become nothing. */
  readonly keepUnset?: boolean | undefined;
  /** Fills {@link LexedWord.words}. Default `false`. */
  readonly split?: boolean | undefined;
}

export interface LexedWord {
  readonly text: string;
  /** `text` cut at white space that is not quoted or escaped, wherever it comes from. */
  readonly words: readonly string[];
}

/** Why a word cannot be expanded; the caller says which word. */
export class SubstitutionError extends Error {}

/** A file of a few lines can double a variable on each of them: this is past any use and before memory ends. */
const maxLength = 16 * 1024 * 1024;
const maxDepth = 200;

interface Lexer {
  readonly source: string;
  readonly options: LexOptions;
  at: number;
  keepEscapes: boolean;
  depth: number;
}

/**
 * The shell-like language of Dockerfile arguments: quotes, escapes, `$name`, `${name}` and its modifiers.
 *
 * @throws SubstitutionError
 */
export function lexWord(source: string, options: LexOptions): LexedWord {
  const lexer: Lexer = { source, options, at: 0, keepEscapes: options.keepEscapes ?? false, depth: 0 };
  const splitter = options.split ? new WordSplitter() : undefined;
  const text = lexUntil(lexer, undefined, lexer.keepEscapes, splitter);
  return { text, words: splitter?.end() ?? [] };
}

/** Characters that mean nothing anywhere: both escape characters and both ends of operands are left out. */
const plainText = /[^$'"<\\`}/]+/y;

function lexUntil(lexer: Lexer, stop: string | undefined, keepEscapes: boolean, splitter?: WordSplitter): string {
  const { source, options } = lexer;
  const outer = lexer.keepEscapes;
  lexer.keepEscapes = keepEscapes;
  const withQuotes = options.quotes !== false;
  let text = '';
  while (lexer.at < source.length) {
    plainText.lastIndex = lexer.at;
    const plain = plainText.exec(source)?.[0];
    const piece = plain ?? peek(lexer);
    if (piece === stop) {
      lexer.at += 1;
      lexer.keepEscapes = outer;
      return text;
    }
    if (piece === '$') {
      const value = lexDollar(lexer);
      text += value;
      splitter?.add(value);
    } else if (withQuotes && (piece === "'" || piece === '"')) {
      const value = piece === "'" ? lexSingleQuotes(lexer) : lexDoubleQuotes(lexer);
      text += value;
      splitter?.addRaw(value);
    } else if (piece === '<') {
      const value = lexLess(lexer);
      text += value;
      splitter?.addRaw(value);
    } else if (piece === options.escape) {
      lexer.at += 1;
      const escaped = (lexer.keepEscapes ? piece : '') + next(lexer);
      text += escaped;
      splitter?.addRaw(escaped);
    } else {
      lexer.at += piece.length;
      text += piece;
      splitter?.add(piece);
    }
    if (text.length > maxLength) throw new SubstitutionError('the result is too long');
  }
  if (stop !== undefined) {
    throw new SubstitutionError(`unexpected end of statement while looking for matching ${stop}`);
  }
  return text;
}

/** `<<` with the space after it is one piece, so that `<< EOF` is one word. */
function lexLess(lexer: Lexer): string {
  const found = /<(?:<[\t\r ]*)?/y;
  found.lastIndex = lexer.at;
  const text = found.exec(lexer.source)![0];
  lexer.at += text.length;
  return text;
}

function lexSingleQuotes(lexer: Lexer): string {
  const end = lexer.source.indexOf("'", lexer.at + 1);
  if (end < 0) {
    lexer.at = lexer.source.length;
    throw new SubstitutionError('unexpected end of statement while looking for matching single-quote');
  }
  const content = lexer.source.slice(lexer.at + 1, end);
  lexer.at = end + 1;
  return lexer.options.keepQuotes ? `'${content}'` : content;
}

function lexDoubleQuotes(lexer: Lexer): string {
  const { escape: escapeChar, keepQuotes } = lexer.options;
  const mark = keepQuotes ? '"' : '';
  lexer.at += 1;
  let text = mark;
  while (lexer.at < lexer.source.length) {
    const character = peek(lexer);
    if (character === '"') {
      lexer.at += 1;
      return text + mark;
    }
    if (character === '$') {
      text += lexDollar(lexer);
      if (text.length > maxLength) throw new SubstitutionError('the result is too long');
      continue;
    }
    lexer.at += character.length;
    if (character !== escapeChar) {
      text += character;
    } else if (lexer.at < lexer.source.length) {
      const following = peek(lexer);
      const special = following === '"' || following === '$' || following === escapeChar;
      if (!special || lexer.keepEscapes) text += escapeChar;
      if (special) text += next(lexer);
    }
  }
  throw new SubstitutionError('unexpected end of statement while looking for matching double-quote');
}

function lexDollar(lexer: Lexer): string {
  const { lookup, keepUnset } = lexer.options;
  lexer.at += 1;
  if (peek(lexer) !== '{') {
    const name = lexName(lexer);
    if (name === '') return '$';
    return lookup(name) ?? (keepUnset ? `$${name}` : '');
  }
  lexer.at += 1;
  const first = peek(lexer);
  if (first === '') throw new SubstitutionError("syntax error: missing '}'");
  if (first === '{' || first === '}' || first === ':') throw new SubstitutionError('syntax error: bad substitution');
  const name = lexName(lexer);
  lexer.depth += 1;
  if (lexer.depth > maxDepth) throw new SubstitutionError('substitutions are nested too deeply');
  const value = lexModifier(lexer, name);
  lexer.depth -= 1;
  return value;
}

/** What follows the name in `${name…}`, the closing brace included. */
function lexModifier(lexer: Lexer, name: string): string {
  const { lookup, keepUnset } = lexer.options;
  let modifier = next(lexer);
  if (modifier === '}') return lookup(name) ?? (keepUnset ? `\${${name}}` : '');
  if (modifier === '/') return lexReplacement(lexer, name);

  const emptyIsUnset = modifier === ':';
  if (emptyIsUnset) modifier = next(lexer);
  const written = (emptyIsUnset ? ':' : '') + (modifier === '' ? '\ufffd' : modifier);
  const trims = modifier === '#' || modifier === '%';
  const known = trims || modifier === '+' || modifier === '-' || modifier === '?';
  // After a colon anything else is read as a word first: `${a:` then lacks its brace rather than a modifier.
  if (emptyIsUnset ? trims : !known) throw unsupported(written);
  const word = lexOperand(lexer, '}', trims, "syntax error: missing '}'");

  const value = lookup(name);
  if (value === undefined && keepUnset) return `\${${name}${written}${word}}`;
  const missing = value === undefined || (emptyIsUnset && value === '');
  switch (modifier) {
    case '-':
      return missing ? word : value;
    case '+':
      return missing ? '' : word;
    case '?':
      if (!missing) return value;
      throw new SubstitutionError(
        `${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`,
      );
    case '#':
    case '%': {
      const longest = word.startsWith(modifier);
      const pattern = longest ? word.slice(1) : word;
      const trim = modifier === '#' ? trimPrefix : trimSuffix;
      return withPattern(pattern, tokens => trim(value ?? '', tokens, longest));
    }
    default:
      throw unsupported(written);
  }
}

/** `${name/pattern/replacement}` and `${name//pattern/replacement}`, from behind the first slash. */
function lexReplacement(lexer: Lexer, name: string): string {
  const all = peek(lexer) === '/';
  if (all) lexer.at += 1;
  const pattern = lexOperand(lexer, '/', true, "syntax error: missing '/' in ${}");
  const replacement = lexOperand(lexer, '}', true, "syntax error: missing '}'");
  const value = lexer.options.lookup(name);
  if (value === undefined && lexer.options.keepUnset) return `\${${name}/${pattern}/${replacement}}`;
  const replace = all ? replaceAll : replaceFirst;
  return withPattern(pattern, tokens => replace(value ?? '', tokens, replacement));
}

/** The text up to `stop`; `missing` is what to say when the source ends first. */
function lexOperand(lexer: Lexer, stop: string, keepEscapes: boolean, missing: string): string {
  try {
    return lexUntil(lexer, stop, keepEscapes);
  } catch (error) {
    if (error instanceof SubstitutionError && lexer.at >= lexer.source.length) throw new SubstitutionError(missing);
    throw error;
  }
}

function withPattern(text: string, use: (pattern: ValuePattern) => string): string {
  try {
    return use(parseValuePattern(text));
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new SubstitutionError(`invalid pattern (${text}) in substitution: ${error.message}`);
  }
}

function unsupported(modifier: string): SubstitutionError {
  return new SubstitutionError(`unsupported modifier (${modifier}) in substitution`);
}

const nameAt = /\p{Nd}+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*/uy;

function lexName(lexer: Lexer): string {
  nameAt.lastIndex = lexer.at;
  const name = nameAt.exec(lexer.source)?.[0] ?? '';
  lexer.at += name.length;
  return name;
}

/** The character at the cursor, '' at the end. */
function peek(lexer: Lexer): string {
  const code = lexer.source.codePointAt(lexer.at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

/** The character at the cursor, which moves past it; '' at the end. */
function next(lexer: Lexer): string {
  const character = peek(lexer);
  lexer.at += character.length;
  return character;
}
