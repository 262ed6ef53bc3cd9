import { describe, expect, it } from 'vitest';
import { destinationPath, workPath } from '../../src/plan/work-path.js';
import { failureOf } from './support.js';

describe('workPath', () => {
  it.each([
    ['', 'a', '/a'],
    ['', '', '/'],
    ['/w', '', '/w'],
    ['/w', 'a/../b/', '/w/b'],
    ['/w', '..', '/'],
    ['/w', '../../..', '/'],
    ['/w/', 'x', '/w/x'],
    ['/w', '/a//b/../c/', '/a//b/../c/'],
    ['rel', 'x', '/rel/x'],
  ])('joins %j and %j', (current, path, result) => {
    expect(workPath(current, path, 'linux')).toBe(result);
  });

  it.each([
    ['', 'C:\\app', '\\app'],
    ['\\app', 'sub/dir', '\\app\\sub\\dir'],
    ['\\app', 'c:/x/', '\\x'],
    ['\\app', '..', '\\'],
  ])('joins %j and %j on Windows', (current, path, result) => {
    expect(workPath(current, path, 'windows')).toBe(result);
  });

  it.each(['D:\\x', 'C:', '\\\\server\\share', '//./pipe'])('refuses %s on Windows', path => {
    expect(failureOf(() => workPath('\\', path, 'windows')).code).toBe('INVALID_VALUE');
  });
});

describe('destinationPath', () => {
  it.each([
    ['/w', '', '/w/'],
    ['/w', '.', '/w/'],
    ['/w', './', '/w/'],
    ['/w', 'a', '/w/a'],
    ['/w', 'a/', '/w/a/'],
    ['/w', 'a/.', '/w/a/.'],
    ['/w', '..', '/'],
    ['/w', '../', '/'],
    ['/w', '../.', '/.'],
    ['/w/x', '..', '/w'],
    ['/w/x', '../', '/w/'],
    ['/', '.', '/'],
    ['/w', '/', '/'],
    ['/w', '/a/', '/a/'],
    ['/w', '/a/.', '/a/.'],
    ['/w', '/a/../b', '/b'],
    ['/w', '/a/../b/', '/b/'],
    ['/w', '//a//./b', '/a/b'],
    ['/w', '/a/..', '/'],
  ])('joins %j and %j', (current, path, result) => {
    expect(destinationPath(current, path, 'linux')).toBe(result);
  });
});
