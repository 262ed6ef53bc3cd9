import type { SourceRange } from '../errors/errors.js';
import type { Heredoc } from './ast.js';
import { isSpace, quote, trimSpaceStart } from './go-text.js';
import { parseJsonForm } from './json-form.js';
import type { EscapeCharacter } from './lex-word.js';
import { Problem } from './problem.js';
import { cutAtBlanks, splitAtBlanks, splitCommand, splitQuoted } from './words.js';

/** An instruction cut into words by the rules of its keyword, not checked any further. */
export interface Statement {
  /** Upper case. */
  readonly name: string;
  readonly keyword: string;
  readonly flags: readonly string[];
  /** ENV and LABEL: name, value and separator (`=` or nothing) of each pair in turn. */
  readonly words: readonly string[];
  readonly json: boolean;
  /** The joined line. */
  readonly original: string;
  /** The instruction behind ONBUILD. */
  readonly inner?: Statement | undefined;
}

/** What a statement becomes part of: everything about its place that its words do not say. */
export interface Placement {
  readonly range: SourceRange;
  readonly heredocs: readonly Heredoc[];
  readonly comments: readonly string[];
}

type Arguments = Pick<Statement, 'words' | 'json' | 'inner'>;

/** How the text behind the flags is cut into words. */
const cutters = new Map<string, (rest: string, escapeChar: EscapeCharacter) => Arguments>([
  ['ADD', jsonOrWords],
  ['ARG', (rest, escapeChar) => plain(splitQuoted(rest, escapeChar))],
  ['CMD', jsonOrText],
  ['COPY', jsonOrWords],
  ['ENTRYPOINT', jsonOrText],
  ['ENV', (rest, escapeChar) => plain(cutPairs(rest, escapeChar, 'ENV'))],
  ['EXPOSE', rest => plain(splitAtBlanks(rest))],
  ['FROM', rest => plain(splitAtBlanks(rest))],
  ['HEALTHCHECK', cutHealthcheck],
  ['LABEL', (rest, escapeChar) => plain(cutPairs(rest, escapeChar, 'LABEL'))],
  ['MAINTAINER', wholeText],
  ['ONBUILD', cutTrigger],
  ['RUN', jsonOrText],
  ['SHELL', jsonOrText],
  ['STOPSIGNAL', wholeText],
  ['USER', wholeText],
  ['VOLUME', jsonOrWords],
  ['WORKDIR', wholeText],
]);

/** The keywords of the language, upper case. */
export const keywords: readonly string[] = [...cutters.keys()];

/**
 * Cuts a joined line into words. An unknown keyword is let through with none.
 *
 * @throws Problem
 */
export function parseStatement(line: string, escapeChar: EscapeCharacter): Statement {
  const { keyword, flags, rest } = splitCommand(line, escapeChar);
  const name = keyword.toUpperCase();
  const cut = cutters.get(name);
  const { words, json, inner } = cut === undefined ? plain([]) : cut(rest, escapeChar);
  return { name, keyword, flags, words, json, original: line, inner };
}

/** Whether `<<NAME` in the statement announces a here-document. */
export function takesHeredocs(statement: Statement): boolean {
  const { name, json } = statement.name === 'ONBUILD' && statement.inner ? statement.inner : statement;
  return (name === 'RUN' || name === 'COPY' || name === 'ADD') && !json;
}

function plain(words: readonly string[]): Arguments {
  return { words, json: false };
}

function wholeText(rest: string): Arguments {
  return plain(rest === '' ? [] : [rest]);
}

function jsonOrText(rest: string): Arguments {
  const json = parseJsonForm(rest);
  return json === undefined ? wholeText(rest) : { words: json, json: true };
}

function jsonOrWords(rest: string): Arguments {
  const json = parseJsonForm(rest);
  return json === undefined ? plain(splitAtBlanks(rest)) : { words: json, json: true };
}

function cutHealthcheck(rest: string): Arguments {
  let end = 0;
  while (end < rest.length && !isSpace(rest[end]!)) end += 1;
  if (end === 0) return plain([]);
  const { words, json } = jsonOrText(trimSpaceStart(rest.slice(end)));
  return { words: [rest.slice(0, end), ...words], json };
}

function cutTrigger(rest: string, escapeChar: EscapeCharacter): Arguments {
  if (rest === '') return plain([]);
  // The chain that the language forbids would otherwise be followed to its end.
  const { keyword } = splitCommand(rest, escapeChar);
  if (keyword.toUpperCase() === 'ONBUILD') return plain([keyword]);
  const inner = parseStatement(rest, escapeChar);
  return { words: [inner.keyword, ...inner.words], json: false, inner };
}

function cutPairs(rest: string, escapeChar: EscapeCharacter, name: string): readonly string[] {
  const words = splitQuoted(rest, escapeChar);
  if (words.length === 0) return [];
  if (!words[0]!.includes('=')) {
    const [key, value] = cutAtBlanks(rest);
    if (value === undefined) throw new Problem(`${name} must have two arguments`, `Write ${name} ${key}=value.`);
    return [key, value, ''];
  }
  return words.flatMap(word => {
    const equals = word.indexOf('=');
    if (equals < 0) {
      throw new Problem(
        `Syntax error - can't find = in ${quote(word)}. Must be of the form: name=value`,
        'Quote a value that has spaces in it, and look for a line continuation that is one too many.',
      );
    }
    return [word.slice(0, equals), word.slice(equals + 1), '='];
  });
}
