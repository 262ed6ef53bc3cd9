import { quote } from './go-text.js';
import { Problem } from './problem.js';

const nanoseconds = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['\u00b5s', 1e3],
  ['\u03bcs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);
const longest = 2 ** 63;

/**
 * Go's `time.ParseDuration`: `1h2m3.5s`, in nanoseconds.
 *
 * @throws Problem
 */
export function parseDuration(text: string): number {
  const [sign, body] = /^[+-]/.test(text) ? [text[0], text.slice(1)] : ['', text];
  if (body === '0') return 0;
  const hint = 'Write a duration like 30s, 1m30s or 500ms.';
  const invalid = new Problem(`time: invalid duration ${quote(text)}`, hint);
  if (body === '') throw invalid;

  let total = 0;
  let rest = body;
  while (rest !== '') {
    const [, number, unit] = /^(\d*\.?\d*)([^.\d]*)/.exec(rest)!;
    if (!/\d/.test(number!)) throw invalid;
    if (unit === '') throw new Problem(`time: missing unit in duration ${quote(text)}`, hint);
    const factor = nanoseconds.get(unit!);
    if (factor === undefined) throw new Problem(`time: unknown unit ${quote(unit!)} in duration ${quote(text)}`, hint);
    const [whole, fraction = ''] = number!.split('.');
    total += Number(whole) * factor + Math.trunc(Number(`0.${fraction || '0'}`) * factor);
    if (!(total < longest)) throw invalid;
    rest = rest.slice(number!.length + unit!.length);
  }
  return sign === '-' && total !== 0 ? -total : total;
}
