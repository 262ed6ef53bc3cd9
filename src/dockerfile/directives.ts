import type { Directives } from './ast.js';
import { trimSpaceStart } from './go-text.js';
import type { EscapeCharacter } from './lex-word.js';
import { type LineReader, trimLineEnd } from './lines.js';

export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check';
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

/** A directive that is refused. */
export interface DirectiveProblem {
  readonly message: string;
  readonly hint: string;
  readonly line: number;
}

/**
 * Reads the directives at the top (`# escape=…`) and leaves the reader at the first line that is none: a blank line, a
 * comment, an unknown key or an instruction ends them.
 */
export function readDirectives(reader: LineReader): {
  readonly directives: Directives;
  readonly problems: readonly DirectiveProblem[];
} {
  const problems: DirectiveProblem[] = [];
  const found = new Map<Directive['name'], Directive>();
  for (; reader.next < reader.lines.length; reader.next++) {
    const directive = parseDirective(trimSpaceStart(reader.lines[reader.next]!), '#', reader.next + 1);
    if (directive === undefined) break;
    if (found.has(directive.name)) {
      problems.push({
        message: `only one ${directive.name} parser directive can be used`,
        hint: `Remove this line, or the one on line ${found.get(directive.name)!.line}.`,
        line: directive.line,
      });
    } else {
      found.set(directive.name, directive);
    }
  }

  const wanted = found.get('escape');
  if (wanted !== undefined && !isEscape(wanted.value)) {
    problems.push({
      message: `invalid escape token '${wanted.value}' does not match \` or \\`,
      hint: 'Write # escape=` or leave the line out.',
      line: wanted.line,
    });
  }
  const directives: Directives = {
    escape: wanted !== undefined && isEscape(wanted.value) ? wanted.value : '\\',
    syntax: found.get('syntax')?.value.split(' ')[0],
    check: found.get('check')?.value,
  };
  return { directives, problems: problems.sort((a, b) => a.line - b.line) };
}

/** Which frontend a file asks for. */
export interface RequestedSyntax {
  /** Image reference of the frontend. */
  readonly reference: string;
  /** The whole value, of which the reference is the first word. */
  readonly commandLine: string;
  readonly line: number;
}

/**
 * The frontend that any text asks for: through `# syntax=`, `// syntax=`, or the key `syntax` of a JSON document.
 * A `#!` line at the top does not count, unlike in {@link readDirectives}.
 */
export function detectSyntax(text: string): RequestedSyntax | undefined {
  if (!/^\ufeff?(?:#|\/\/|\s*\{)/.test(text)) return undefined;
  const { lines, skipped } = linesBelowShebang(text);
  const directive =
    directivesIn(lines, '#', skipped).find(isSyntax) ?? directivesIn(lines, '//', skipped).find(isSyntax);
  if (directive !== undefined) {
    return { reference: directive.value.split(' ')[0]!, commandLine: directive.value, line: directive.line };
  }
  const reference = syntaxOfJson(lines.join('\n'));
  return reference === undefined ? undefined : { reference, commandLine: reference, line: skipped + 1 };
}

/** The value of `# check=` at the top, also below a `#!` line. */
export function detectCheck(text: string): Directive | undefined {
  if (!/^\ufeff?#/.test(text)) return undefined;
  const { lines, skipped } = linesBelowShebang(text);
  return directivesIn(lines, '#', skipped).find(directive => directive.name === 'check');
}

/** Whether a frontend is the one whose language this library reads. */
export function isDockerfileFrontend(reference: string): boolean {
  return /^(?:(?:index\.)?docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(reference);
}

function linesBelowShebang(text: string): { readonly lines: readonly string[]; readonly skipped: number } {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  const skipped = lines[0]!.startsWith('#!') ? 1 : 0;
  return { lines: lines.slice(skipped), skipped };
}

function directivesIn(lines: readonly string[], comment: string, skipped: number): readonly Directive[] {
  const directives: Directive[] = [];
  for (const [i, line] of lines.entries()) {
    const directive = parseDirective(line, comment, skipped + i + 1);
    if (directive === undefined || directives.some(other => other.name === directive.name)) break;
    directives.push(directive);
  }
  return directives;
}

function parseDirective(line: string, comment: string, number: number): Directive | undefined {
  if (!line.startsWith(comment)) return undefined;
  const content = trimSpaceStart(trimLineEnd(line).slice(comment.length));
  const key = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=/.exec(content);
  if (key === null) return undefined;
  const name = key[1]!.toLowerCase();
  if (name !== 'syntax' && name !== 'escape' && name !== 'check') return undefined;
  const value = content.slice(key[0].length).replace(/^[\t\n\f\r ]+/, '');
  const trimmed = trimAsciiEnd(value);
  return trimmed === '' ? undefined : { name, value: trimmed, line: number };
}

function trimAsciiEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /[\t\n\f\r ]/.test(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}

function syntaxOfJson(text: string): string | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== 'object' || document === null || !Object.hasOwn(document, 'syntax')) return undefined;
    const { syntax } = document as { syntax: unknown };
    return typeof syntax === 'string' ? syntax : undefined;
  } catch {
    return undefined;
  }
}

function isSyntax(directive: Directive): boolean {
  return directive.name === 'syntax';
}

function isEscape(value: string): value is EscapeCharacter {
  return value === '\\' || value === '`';
}
