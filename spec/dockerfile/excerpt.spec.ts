import { describe, expect, it } from 'vitest';
import { dockerfileError, formatExcerpt } from '../../src/dockerfile/excerpt.js';
import { parseDockerfile } from '../../src/dockerfile/parser.js';

const range = (start: number, end: number) => ({
  file: 'dir/Dockerfile',
  start: { line: start, column: 1 },
  end: { line: end, column: 1 },
});

describe('formatExcerpt', () => {
  const text = 'one\ntwo\nthree\nfour\nfive\nsix\nseven';

  it('shows one line with two on either side', () => {
    expect(formatExcerpt(text, range(4, 4))).toBe(
      [
        'dir/Dockerfile:4',
        '--------------------',
        '   2 |     two',
        '   3 |     three',
        '   4 | >>> four',
        '   5 |     five',
        '   6 |     six',
        '--------------------',
        '',
      ].join('\n'),
    );
  });

  it('shows several lines with one on either side, and what there is at the ends', () => {
    const numbers = (start: number, end: number) =>
      Array.from(formatExcerpt(text, range(start, end)).matchAll(/^ +(\d+) \| (>>>)?/gm), found =>
        found[2] === undefined ? Number(found[1]) : -Number(found[1]),
      );
    expect(numbers(3, 4)).toEqual([2, -3, -4, 5]);
    expect(numbers(1, 1)).toEqual([-1, 2, 3]);
    expect(numbers(7, 7)).toEqual([5, 6, -7]);
    expect(numbers(6, 9)).toEqual([5, -6, -7]);
    expect(numbers(1, 7)).toEqual([-1, -2, -3, -4, -5, -6, -7]);
    expect(formatExcerpt('one', range(1, 1))).toContain('>>> one');
  });

  it('marks further ranges, and leaves out what lies far between', () => {
    const marked = (also: readonly [number, number][]) =>
      formatExcerpt(
        text,
        range(2, 2),
        also.map(([start, end]) => range(start, end)),
      )
        .split('\n')
        .slice(2, -2)
        .map(line => line.slice(0, 10));
    expect(marked([[4, 4]])).toEqual([
      ...['   1 |    ', '   2 | >>>', '   3 |    ', '   4 | >>>', '   5 |    ', '   6 |    '],
    ]);
    const long = `${text}${'\n'.repeat(20)}end`;
    const apart = formatExcerpt(long, range(2, 2), [range(27, 27)]);
    expect(apart).toContain('   2 | >>> two');
    expect(apart).toContain('\n     |     …\n');
    expect(apart).toContain('  27 | >>> end');
    expect(apart.split('\n')).toHaveLength(12);
    expect(formatExcerpt(text, range(2, 2), [range(99, 99)])).toBe(formatExcerpt(text, range(2, 2)));
  });

  it('is empty for places outside', () => {
    expect(formatExcerpt(text, range(8, 8))).toBe('');
    expect(formatExcerpt(text, range(0, 1))).toBe('');
  });

  it('lets no control character through and cuts long lines', () => {
    const excerpt = formatExcerpt(`a\x1b[31m\tb\r\n${'x'.repeat(5000)}`, range(1, 2));
    expect(excerpt).toContain('a\ufffd[31m\tb\n');
    expect(excerpt.length).toBeLessThan(1000);
  });
});

describe('dockerfileError', () => {
  it('carries place, excerpt and hint', () => {
    const text = 'FROM scratch\nCOPPY a b\n';
    const [diagnostic] = parseDockerfile(text).diagnostics;
    const error = dockerfileError(text, diagnostic!);
    expect(error).toMatchObject({ code: 'DOCKERFILE_SYNTAX', details: { range: { start: { line: 2 } } } });
    expect(error.details.excerpt).toContain('>>> COPPY a b');
    expect(error.hint).toContain('COPY');
  });

  it('lets no control character of the file into a message', () => {
    const { diagnostics } = parseDockerfile('FROM scratch\nX\x1b[2J\nCOPY --\x07 a b\nENV a=b \x1b]\n# syntax=\x1b\n');
    for (const { message, hint } of diagnostics) expect(`${message}${hint}`).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    expect(diagnostics).toHaveLength(3);
  });
});
