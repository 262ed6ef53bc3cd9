import { describe, expect, it } from 'vitest';
import { detectCheck, detectSyntax, isDockerfileFrontend } from '../../src/dockerfile/directives.js';

describe('detectSyntax', () => {
  const table: ReadonlyArray<readonly [text: string, reference: string | undefined, line?: number]> = [
    ['# syntax=a/b:1\nFROM x', 'a/b:1', 1],
    ['#syntax = a/b:1 --opt x \r\n', 'a/b:1', 1],
    ['\ufeff# SYNTAX=a', 'a', 1],
    ['#!/usr/bin/env x\n# syntax=a', 'a', 2],
    ['# escape=`\n# check=skip=all\n# syntax=a', 'a', 3],
    ['// syntax=a\nanything', 'a', 1],
    ['#!/x\n//syntax = a', 'a', 2],
    ['{ "other": 1, "syntax": "a b" }', 'a b', 1],
    ['{"syntax": 1}', undefined],
    ['{"__proto__": {"syntax": "a"}}', undefined],
    ['{"syntax": "a"', undefined],
    ['["syntax"]', undefined],
    ['', undefined],
    ['FROM x', undefined],
    ['\n# syntax=a', undefined],
    ['# comment\n# syntax=a', undefined],
    ['# unknown=1\n# syntax=a', undefined],
    [' # syntax=a', undefined],
    ['# escape=`\n# escape=`\n# syntax=a', undefined],
    ['# syntax=', undefined],
    ['# syn tax=a', undefined],
  ];
  for (const [text, reference, line] of table) {
    it(JSON.stringify(text), () => {
      const found = detectSyntax(text);
      expect(found?.reference).toBe(reference);
      expect(found?.line).toBe(line);
    });
  }

  it('keeps the words behind the reference', () => {
    expect(detectSyntax('# syntax=a b c ')?.commandLine).toBe('a b c');
  });
});

describe('detectCheck', () => {
  it('finds the directive at the top', () => {
    expect(detectCheck('# syntax=x\n# check=skip=A\nFROM x')).toEqual({ name: 'check', value: 'skip=A', line: 2 });
    expect(detectCheck('#!x\n# check=a=b')).toMatchObject({ value: 'a=b', line: 2 });
    expect(detectCheck('FROM x\n# check=skip=A')).toBeUndefined();
    expect(detectCheck('// check=skip=A')).toBeUndefined();
  });
});

describe('isDockerfileFrontend', () => {
  for (const reference of [
    'docker/dockerfile',
    'docker/dockerfile:1',
    'docker.io/docker/dockerfile:1.7-labs',
    'docker/dockerfile-upstream:master@sha256:0',
  ]) {
    it(`knows ${reference}`, () => expect(isDockerfileFrontend(reference)).toBe(true));
  }
  for (const reference of [
    '',
    'dockerfile',
    'docker/dockerfile2',
    'x/docker/dockerfile',
    'docker/dockerfile/x',
    'docker/buildx',
  ]) {
    it(`does not know ${reference}`, () => expect(isDockerfileFrontend(reference)).toBe(false));
  }
});
