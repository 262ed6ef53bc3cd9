import type { Heredoc } from './ast.js';
import { type LexOptions, lexWord, SubstitutionError } from './lex-word.js';
import { type LineReader, trimLineEnd } from './lines.js';
import { Problem } from './problem.js';

/** A here-document announced by a word, its body not read yet. */
export type HeredocStart = Omit<Heredoc, 'content'>;

/** Heredoc names are always read with `\`, whatever the file's escape character. */
const lexing: LexOptions = { escape: '\\', lookup: () => undefined, keepUnset: true, split: true };

/** The here-documents that an instruction's line announces, in order. */
export function heredocsOf(line: string): readonly HeredocStart[] {
  if (!line.includes('<<')) return [];
  let words: readonly string[];
  try {
    words = lexWord(line, { ...lexing, keepQuotes: true, keepEscapes: true }).words;
  } catch (error) {
    // A line for a shell may be anything: what cannot be read has no here-document.
    if (error instanceof SubstitutionError) return [];
    throw error;
  }
  return words.flatMap(word => parseHeredocWord(word) ?? []);
}

/** Reads `<<NAME`, `<<-NAME`, `3<<"NAME"`; `undefined` for any other word. */
export function parseHeredocWord(word: string): HeredocStart | undefined {
  const match = /^(\d*)<<(-?)[\t\n\f\r ]*([^<]*)$/.exec(word);
  if (match === null || match[3] === '') return undefined;
  const [, descriptor, dash, written] = match;
  let plain: readonly string[];
  let quoted: readonly string[];
  try {
    plain = lexWord(written!, lexing).words;
    quoted = lexWord(written!, { ...lexing, keepQuotes: true }).words;
  } catch (error) {
    if (error instanceof SubstitutionError) return undefined;
    throw error;
  }
  if (plain.length !== 1) return undefined;
  return {
    name: plain[0]!,
    fileDescriptor: descriptor === '' ? 0 : Number(descriptor),
    expand: countQuotes(plain[0]!) === countQuotes(quoted.join('')),
    chomp: dash === '-',
  };
}

/** @throws Problem when the text ends before the terminator */
export function readHeredocBody(reader: LineReader, start: HeredocStart): Heredoc {
  const parts: string[] = [];
  while (reader.next < reader.lines.length) {
    const line = reader.lines[reader.next]!;
    reader.next += 1;
    const trimmed = trimLineEnd(line);
    if ((start.chomp ? trimmed.replace(/^\t+/, '') : trimmed) === start.name) {
      return { ...start, content: parts.join('') };
    }
    parts.push(line);
  }
  throw new Problem('unterminated heredoc', `End it with a line that holds only ${start.name}.`);
}

/** The body as it is used: for `<<-` without the tabs that its lines start with. */
export function heredocText(heredoc: Heredoc): string {
  return heredoc.chomp ? heredoc.content.replace(/(^|\n)\t+/g, '$1') : heredoc.content;
}

function countQuotes(text: string): number {
  return text.length - text.replaceAll("'", '').replaceAll('"', '').length;
}
