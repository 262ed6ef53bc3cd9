import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/dockerfile/duration.js';
import { Problem } from '../../src/dockerfile/problem.js';

describe('parseDuration', () => {
  const table: ReadonlyArray<readonly [text: string, nanoseconds: number]> = [
    ['0', 0],
    ['-0', 0],
    ['+0', 0],
    ['5s', 5e9],
    ['+5s', 5e9],
    ['-5s', -5e9],
    ['1478s', 1478e9],
    ['5.0s', 5e9],
    ['5.6s', 5.6e9],
    ['5.s', 5e9],
    ['.5s', 0.5e9],
    ['1.004s', 1.004e9],
    ['100.00100s', 100.001e9],
    ['10ns', 10],
    ['11us', 11e3],
    ['12µs', 12e3],
    ['12μs', 12e3],
    ['13ms', 13e6],
    ['15m', 900e9],
    ['16h', 57600e9],
    ['3h30m', 12600e9],
    ['10.5s4m', 250.5e9],
    ['-2m3.4s', -123.4e9],
    ['1h2m3s4ms5us6ns', 3723004005006],
    ['0.3333333333333333333h', 1200e9],
  ];
  for (const [text, nanoseconds] of table) {
    it(text, () => expect(parseDuration(text)).toBe(nanoseconds));
  }

  for (const text of [
    '',
    '3',
    '-',
    's',
    '.',
    '-.',
    '.s',
    '+.s',
    '1d',
    '--1s',
    '1s-1m',
    '1 s',
    '1.2.3s',
    '3000000h',
    '1e3s',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(() => parseDuration(text)).toThrow(Problem));
  }
});
