import type { SourceRange } from '../errors/errors.js';
import { trimSpace, trimSpaceStart } from './go-text.js';
import type { EscapeCharacter } from './lex-word.js';

/** Longest physical line in bytes, its line feed not counted. */
export const maxLineBytes = 65535;

/** The physical lines of a text, read one by one. */
export interface LineReader {
  readonly file: string;
  /** Lines with their line ends, without a byte order mark. */
  readonly lines: readonly string[];
  /** Index of the next line to read: also the 1-based number of the line read last. */
  next: number;
  /** Number of the first line that is too long to be read, if there is one: reading stops before it. */
  readonly tooLong: number | undefined;
}

/** An instruction's lines joined. */
export interface LogicalLine {
  /** Continuations and the comments and blank lines between them taken out. */
  readonly text: string;
  /** 1-based, as is `end`. */
  readonly start: number;
  readonly end: number;
  /** Comment lines directly above, text after `#`, trimmed. */
  readonly comments: readonly string[];
  /** Number of the first blank line inside. */
  readonly emptyContinuation: number | undefined;
}

export function openLines(text: string, file: string): LineReader {
  const lines = text.replace(/^\ufeff/, '').match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const tooLong = lines.findIndex(isTooLong);
  if (tooLong >= 0) lines.length = tooLong;
  return { file, lines, next: 0, tooLong: tooLong >= 0 ? tooLong + 1 : undefined };
}

/** The next instruction, however many lines it has; `undefined` at the end. */
export function readLogicalLine(reader: LineReader, escapeChar: EscapeCharacter): LogicalLine | undefined {
  let comments: string[] = [];
  while (reader.next < reader.lines.length) {
    const first = trimSpaceStart(trimLineEnd(reader.lines[reader.next]!));
    reader.next += 1;
    if (first.startsWith('#')) {
      const comment = trimSpace(first.slice(1));
      // A bare `#` parts what is above it from the instruction.
      if (comment === '') comments = [];
      else comments.push(comment);
    } else if (first !== '') {
      return readContinuations(reader, escapeChar, first, comments);
    }
  }
  return undefined;
}

function readContinuations(
  reader: LineReader,
  escapeChar: EscapeCharacter,
  first: string,
  comments: readonly string[],
): LogicalLine {
  const start = reader.next;
  let emptyContinuation: number | undefined;
  let [text, continues] = cutContinuation(first, escapeChar);
  const parts = [text];
  while (continues && reader.next < reader.lines.length) {
    const line = trimLineEnd(reader.lines[reader.next]!);
    reader.next += 1;
    const content = trimSpaceStart(line);
    if (content === '') {
      emptyContinuation ??= reader.next;
    } else if (!content.startsWith('#')) {
      [text, continues] = cutContinuation(line, escapeChar);
      parts.push(text);
    }
  }
  return { text: parts.join(''), start, end: reader.next, comments, emptyContinuation };
}

/** Takes off an escape character at the end, with blanks behind it but not doubled, which continues the line. */
function cutContinuation(line: string, escapeChar: EscapeCharacter): [text: string, continues: boolean] {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end -= 1;
  if (end === 0 || line[end - 1] !== escapeChar || line[end - 2] === escapeChar) return [line, false];
  return [line.slice(0, end - 1), true];
}

/** From the first character of the text on `start` to the last one on `end`. */
export function rangeOfLines(reader: LineReader, start: number, end: number): SourceRange {
  const first = reader.lines[start - 1] ?? '';
  const last = trimLineEnd(reader.lines[end - 1] ?? '');
  const startColumn = first.length - trimSpaceStart(first).length + 1;
  return {
    file: reader.file,
    start: { line: start, column: first.trim() === '' ? 1 : startColumn },
    end: { line: end, column: Math.max(1, last.length) },
  };
}

export function trimLineEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === '\n' || line[end - 1] === '\r')) end -= 1;
  return line.slice(0, end);
}

function isTooLong(line: string): boolean {
  if (line.length * 3 <= maxLineBytes) return false;
  return Buffer.byteLength(line) - (line.endsWith('\n') ? 1 : 0) > maxLineBytes;
}
