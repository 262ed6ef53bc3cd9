import { LadingError, type SourceRange } from '../errors/errors.js';
import type { Diagnostic } from './ast.js';
import { trimLineEnd } from './lines.js';
import { printable } from './printable.js';

/** Lines shown longer than this are cut. */
const maxShownLength = 400;

/**
 * The lines of a range with some around them, those of the range marked:
 *
 *     Dockerfile:2
 *     --------------------
 *        1 |     FROM scratch
 *        2 | >>> COPPY a b
 *     --------------------
 *
 * `also` are further ranges of the same file, marked too; what lies far between is left out. Empty when no range is in
 * the text.
 */
export function formatExcerpt(text: string, range: SourceRange, also: readonly SourceRange[] = []): string {
  const lines = text.split('\n');
  const spans = [range, ...also].flatMap(({ start, end }): Span[] => {
    const inside = start.line >= 1 && start.line <= lines.length;
    return inside ? [{ first: start.line, last: Math.min(end.line, lines.length) }] : [];
  });
  if (spans.length === 0) return '';
  const shown = mergeSpans(spans.map(span => pad(span, lines.length)))
    .map(({ first, last }) =>
      lines.slice(first - 1, last).map((line, i) => {
        const number = first + i;
        const mark = spans.some(span => number >= span.first && number <= span.last) ? '>>>' : '   ';
        return ` ${String(number).padStart(3)} | ${mark} ${printable(trimLineEnd(line), maxShownLength)}\n`;
      }),
    )
    .map(block => block.join(''));
  const rule = '--------------------\n';
  return `${range.file}:${spans[0]!.first}\n${rule}${shown.join('     |     …\n')}${rule}`;
}

/** Numbers of the first and the last line. */
interface Span {
  readonly first: number;
  readonly last: number;
}

/** In order, those that touch or overlap made one. */
function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.first - b.first)) {
    const previous = merged.at(-1);
    if (previous === undefined || span.first > previous.last + 1) merged.push(span);
    else merged.push({ first: merged.pop()!.first, last: Math.max(previous.last, span.last) });
  }
  return merged;
}

/** The error of a Dockerfile that cannot be built because of one diagnostic. */
export function dockerfileError(text: string, diagnostic: Diagnostic): LadingError<'DOCKERFILE_SYNTAX'> {
  const { range, message, hint } = diagnostic;
  return new LadingError('DOCKERFILE_SYNTAX', `dockerfile parse error on line ${range.start.line}: ${message}`, {
    details: { range, excerpt: formatExcerpt(text, range) },
    hint,
  });
}

/** Two lines on either side, or as many in all as there is room for; a single line gets twice that. */
function pad({ first, last }: Span, total: number): Span {
  let start = first;
  let end = last;
  const wanted = first === last ? 4 : 2;
  for (let padded = 0; padded < wanted; padded++) {
    if (start > 1) {
      start -= 1;
      padded += 1;
    }
    if (end < total) {
      end += 1;
      padded += 1;
    }
  }
  return { first: start, last: end };
}
