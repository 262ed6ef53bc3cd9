import { invalidValue } from './refusal.js';

/**
 * The fields of one line of CSV (RFC 4180): commas between fields, a field in double quotes may hold commas, and quotes
 * written twice.
 * @throws LadingError INVALID_VALUE
 */
export function csvFields(line: string): string[] {
  if (line === '') throw invalid(line, 'there is nothing in it');
  const fields: string[] = [];
  let position = 0;
  for (;;) {
    const field = line[position] === '"' ? quotedField(line, position) : plainField(line, position);
    fields.push(field.text);
    if (field.end === line.length) return fields;
    position = field.end + 1;
  }
}

interface Field {
  readonly text: string;
  /** Where the comma after it, or the end of the line, is. */
  readonly end: number;
}

function plainField(line: string, start: number): Field {
  const comma = line.indexOf(',', start);
  const end = comma < 0 ? line.length : comma;
  const text = line.slice(start, end);
  if (text.includes('"')) throw invalid(line, 'a quote inside a field that does not begin with one');
  return { text, end };
}

function quotedField(line: string, start: number): Field {
  let text = '';
  let position = start + 1;
  for (;;) {
    const quote = line.indexOf('"', position);
    if (quote < 0) throw invalid(line, 'a quote is not closed');
    text += line.slice(position, quote);
    const next = line[quote + 1];
    if (next === undefined || next === ',') return { text, end: quote + 1 };
    if (next !== '"') throw invalid(line, 'text after a closing quote');
    text += '"';
    position = quote + 2;
  }
}

function invalid(line: string, problem: string) {
  return invalidValue(
    'mount',
    line,
    `failed to parse csv mounts: ${problem}`,
    'Write --mount=type=TYPE,KEY=VALUE,… without spaces.',
  );
}
