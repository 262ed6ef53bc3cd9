import { isSpace, trimSpace } from './go-text.js';
import type { EscapeCharacter } from './lex-word.js';

/** An instruction cut into its parts. */
export interface Command {
  readonly keyword: string;
  /** Words before the first that does not start with `--`; their quotes and escapes are processed. */
  readonly flags: readonly string[];
  /** What follows the flags, trimmed. */
  readonly rest: string;
}

export function splitCommand(line: string, escapeChar: EscapeCharacter): Command {
  const [keyword, rest] = cutAtBlanks(trimSpace(line));
  if (rest === undefined) return { keyword, flags: [], rest: '' };
  const { flags, end } = readFlags(rest, escapeChar);
  return { keyword, flags, rest: trimSpace(rest.slice(end)) };
}

/** The text before the first blanks and the text behind them, as it is. */
export function cutAtBlanks(text: string): [first: string, rest: string | undefined] {
  const blanks = /[\t\v\f\r ]+/.exec(text);
  if (blanks === null) return [text, undefined];
  return [text.slice(0, blanks.index), text.slice(blanks.index + blanks[0].length)];
}

/** Words between blanks; quotes do not group. */
export function splitAtBlanks(text: string): readonly string[] {
  return text === '' ? [] : text.split(/[\t\v\f\r ]+/);
}

/** Words between white space that is neither quoted nor escaped; quotes and escapes stay in the words. */
export function splitQuoted(text: string, escapeChar: EscapeCharacter): readonly string[] {
  const words: string[] = [];
  let word = '';
  let started = false;
  let quote = '';
  const finish = () => {
    if (started) words.push(word);
    word = '';
    started = false;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quote === '' && isSpace(character)) {
      finish();
    } else if (character === escapeChar && quote !== "'") {
      // The last character of the text escapes nothing and goes.
      if (at + 1 === text.length) break;
      word += character + text[at + 1]!;
      started = true;
      at += 1;
    } else {
      if (quote === '' && (character === '"' || character === "'")) quote = character;
      else if (character === quote) quote = '';
      word += character;
      started = true;
    }
  }
  finish();
  return words;
}

/** The leading words that start with `--`, and where they end; `--` alone ends them and is dropped. */
function readFlags(
  text: string,
  escapeChar: EscapeCharacter,
): { readonly flags: readonly string[]; readonly end: number } {
  const flags: string[] = [];
  let at = 0;
  while (true) {
    while (at < text.length && isSpace(text[at]!)) at += 1;
    if (!text.startsWith('--', at)) return { flags, end: at };
    const { word, end } = readFlag(text, at, escapeChar);
    at = end;
    if (word === '--') return { flags, end };
    flags.push(word);
  }
}

function readFlag(
  text: string,
  start: number,
  escapeChar: EscapeCharacter,
): { readonly word: string; readonly end: number } {
  let word = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (quote === '' && isSpace(character)) break;
    if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
    } else if (quote !== '' && character === quote) {
      quote = '';
    } else if (character === escapeChar) {
      at += 1;
      word += text[at] ?? '';
    } else {
      word += character;
    }
  }
  return { word, end: at };
}
