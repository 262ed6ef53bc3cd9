import { describe, expect, it } from 'vitest';
import { parseByteCount } from '../../src/plan/byte-count.js';

describe('parseByteCount', () => {
  it.each([
    ['0', 0],
    ['100', 100],
    ['100b', 100],
    ['1k', 1024],
    ['128m', 134_217_728],
    ['128M', 134_217_728],
    ['1.5g', 1_610_612_736],
    ['2 KiB', 2048],
    ['2kb', 2048],
    ['.5k', 512],
    ['1t', 2 ** 40],
    ['1P', 2 ** 50],
  ])('reads %s', (text, bytes) => {
    expect(parseByteCount(text)).toBe(bytes);
  });

  it.each(['', 'm', '-1', '1x', '1mm', '1 m m', '0x10', '1e3', '1,5k', ' 1'])('refuses %j', text => {
    expect(parseByteCount(text)).toBeUndefined();
  });
});
