import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cleanComponents,
  cleanPath,
  compareNames,
  comparePaths,
  decodePath,
  encodePath,
  toHostPath,
} from '../../src/tree/path.js';

describe('paths', () => {
  it('keep any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
        expect(Buffer.from(encodePath(decodePath(bytes)))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('are text where they are UTF-8', () => {
    const name = 'grüße-日本-😀';
    expect(decodePath(Buffer.from(name))).toBe(name);
    expect(toHostPath(name)).toBe(name);
    expect(toHostPath(decodePath(Buffer.from([0x61, 0xff])))).toEqual(Buffer.from([0x61, 0xff]));
  });

  it('compare by their bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }), (a, b) => {
        const order = Math.sign(compareNames(decodePath(a), decodePath(b)));
        expect(order).toBe(Buffer.compare(a, b));
      }),
    );
  });

  it('put the content of a folder before its next sibling', () => {
    const sorted = ['a.b', 'a', 'a/x', 'a0', 'a/x/y'].sort(comparePaths);
    expect(sorted).toEqual(['a', 'a/x', 'a/x/y', 'a.b', 'a0']);
  });

  it.each([
    ['/a//b/./c/', 'a/b/c'],
    ['../../x', 'x'],
    ['a/../../b', 'b'],
    ['/', ''],
    ['.', ''],
  ])('clean %s to %s', (written, clean) => expect(cleanPath(written)).toBe(clean));

  it('clean to their components', () => {
    const spelling = fc
      .array(fc.constantFrom('/', '.', '..', 'a', '.b', 'c.', '...', '\n'))
      .map(parts => parts.join(''));
    fc.assert(
      fc.property(spelling, path => {
        expect(cleanPath(path)).toBe(cleanComponents(path).join('/'));
      }),
    );
  });
});
