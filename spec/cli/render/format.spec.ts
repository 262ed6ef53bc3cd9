import { describe, expect, it } from 'vitest';
import { formatAge, formatDuration } from '../../../cli/render/age.js';
import { jsonLine } from '../../../cli/render/json.js';
import { palette } from '../../../cli/render/palette.js';
import { fitLine, printable, printableLine } from '../../../cli/render/printable.js';
import { formatSize } from '../../../cli/render/size.js';
import { formatTable } from '../../../cli/render/table.js';

describe('formatSize', () => {
  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1234, '1.23kB'],
    [9994, '9.99kB'],
    [9999, '10kB'],
    [99_949, '99.9kB'],
    [99_951, '100kB'],
    [999_499, '999kB'],
    [999_500, '1MB'],
    [45_600_000_000, '45.6GB'],
    [2e15, '2PB'],
    [3e18, '3000PB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe('formatAge', () => {
  const day = 86_400_000;
  it.each([
    [-5, 'just now'],
    [999, 'just now'],
    [1000, '1 second ago'],
    [119_999, '119 seconds ago'],
    [120_000, '2 minutes ago'],
    [2 * 3_600_000, '2 hours ago'],
    [2 * day, '2 days ago'],
    [14 * day, '2 weeks ago'],
    [60 * day, '1 month ago'],
    [365 * day, '11 months ago'],
    [730 * day, '1 year ago'],
    [3653 * day, '10 years ago'],
  ])('%d ms: %s', (age, text) => {
    expect(formatAge(1e12, 1e12 + age)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [-1, '0.0s'],
    [340, '0.3s'],
    [59_900, '59.9s'],
    [59_999, '1m00s'],
    [125_000, '2m05s'],
  ])('%d ms: %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

describe('formatTable', () => {
  it('lines up, without spaces at the ends', () => {
    const columns = [{ title: 'NAME' }, { title: 'SIZE', align: 'right' }, { title: 'NOTE' }] as const;
    const rows = [
      ['a', '1B', ''],
      ['longer', '1000B', 'x'],
    ];
    expect(formatTable(columns, rows)).toBe('NAME      SIZE   NOTE\na           1B\nlonger   1000B   x\n');
  });

  it('lets no cell break out of its line', () => {
    expect(formatTable([{ title: 'A' }], [['x\ny\u001b[2Jz\u202e']])).toBe('A\nx yz\ufffd\n');
  });
});

describe('printable', () => {
  it.each([
    ['plain\ttext\n', 'plain\ttext\n'],
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007x', 'x'],
    ['\u001b]8;;http://x\u001b\\link', 'link'],
    ['a\rb', 'a\ufffdb'],
    ['a\r\nb', 'a\nb'],
    ['\u009b31m', '\ufffd31m'],
    ['\u202eabc', '\ufffdabc'],
    ['\u001b', '\ufffd'],
    ['ä 漢 😀', 'ä 漢 😀'],
  ])('%j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('of a line keeps to one line', () => {
    expect(printableLine('a\n\tb')).toBe('a b');
  });

  it('comes to an end with hostile text', () => {
    expect(printable('\u001b['.repeat(200_000))).not.toContain('\u001b');
    expect(printable(`\u001b]${'x'.repeat(400_000)}`)).not.toContain('\u001b');
  });
});

describe('fitLine', () => {
  it.each([
    ['short', 10, 'short'],
    ['exactly', 7, 'exactly'],
    ['too long', 5, 'too …'],
    ['漢字漢字', 8, '漢字漢字'],
    ['漢字漢字', 7, '漢字漢…'],
    ['漢字漢字', 6, '漢字…'],
    ['😀😀', 3, '😀…'],
    ['😀😀', 1, '…'],
  ])('%s in %d', (text, columns, shown) => {
    expect(fitLine(text, columns)).toBe(shown);
  });
});

describe('palette', () => {
  it('has colours on a terminal only, and never with NO_COLOR', () => {
    expect(palette({ isTTY: true }, {}).error('x')).toBe('\u001b[31mx\u001b[0m');
    expect(palette({ isTTY: true }, { NO_COLOR: '' }).error('x')).toBe('\u001b[31mx\u001b[0m');
    expect(palette({ isTTY: true }, { NO_COLOR: '1' }).error('x')).toBe('x');
    expect(palette({ isTTY: true }, { TERM: 'dumb' }).error('x')).toBe('x');
    expect(palette({}, {}).error('x')).toBe('x');
  });
});

describe('jsonLine', () => {
  it('has words for what JSON lacks', () => {
    const value = { text: Buffer.from('out\n'), large: 2n ** 70n, map: new Map([['a', 1]]) };
    expect(jsonLine(value)).toBe('{"text":"out\\n","large":"1180591620717411303424","map":{"a":1}}\n');
  });
});
