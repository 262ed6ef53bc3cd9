import { describe, expect, it } from 'vitest';
import { parseChmod } from '../../../src/build/copy/chmod.js';
import { isLadingError } from '../../../src/errors/errors.js';

const octal = (mode: number): string => mode.toString(8);

describe('parseChmod', () => {
  it.each([
    ['0', 0o644, false, 0],
    ['755', 0o600, false, 0o755],
    ['04755', 0o600, true, 0o4755],
    ['7777', 0, false, 0o7777],
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['u=rwX,go=rX', 0o700, false, 0o755],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['a+x', 0o644, false, 0o755],
    ['+x', 0o644, false, 0o755],
    ['go-rwx', 0o777, false, 0o700],
    ['g=u', 0o750, false, 0o770],
    ['g=u', 0o2750, false, 0o2770],
    ['o=', 0o757, false, 0o750],
    ['u+s', 0o755, false, 0o4755],
    ['g+s', 0o755, true, 0o2755],
    ['o+s', 0o755, false, 0o755],
    ['+t', 0o777, true, 0o1777],
    ['u=r,g=w,o=x', 0o777, false, 0o421],
    ['u=rw,u+x', 0o000, false, 0o700],
    ['ug+rw-x', 0o111, false, 0o661],
    ['a=rX', 0o111, false, 0o555],
    ['a-x,a+X', 0o755, false, 0o755],
    ['=r', 0o777, false, 0o444],
  ] as const)('%s makes %o (folder: %s) %o', (text, mode, isDirectory, expected) => {
    expect(octal(parseChmod(text).apply(mode, isDirectory))).toBe(octal(expected));
  });

  it.each(['', '10000', '64a', '8', 'u', 'u=q', ',', 'u=r,', '-1', 'x+u+', '0x1ff'])('refuses %j', text => {
    expect(() => parseChmod(text)).toThrow(expect.toSatisfy(error => isLadingError(error, 'INVALID_VALUE')));
  });

  it('tells octal modes, which apply to created parents, from symbolic ones', () => {
    expect(parseChmod('750').octal).toBe(0o750);
    expect(parseChmod('u=rwx').octal).toBeUndefined();
  });
});
