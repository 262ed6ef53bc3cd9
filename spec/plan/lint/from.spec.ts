import { describe, expect, it } from 'vitest';
import { graphOf, type WrittenOptions } from '../support.js';

const rules = (text: string, written?: WrittenOptions) =>
  graphOf(text, written).diagnostics.map(({ rule, range }) => `${rule} ${range.start.line}`);

describe('lintFrom', () => {
  it.each([
    ['FROM a', []],
    ['FROM a${NONE}', ['UndefinedArgInFrom 1']],
    ['FROM ${NONE:-a}', ['UndefinedArgInFrom 1']],
    ['ARG DECLARED\nFROM a$DECLARED', []],
    ['FROM --platform=${NONE:-linux/amd64} a', ['UndefinedArgInFrom 1']],
    ['FROM --platform=$TARGETPLATFORM a', ['RedundantTargetPlatform 1']],
    ['FROM --platform=${TARGETPLATFORM} a', ['RedundantTargetPlatform 1']],
    ['FROM --platform=${TARGETPLATFORM:-x} a', ['RedundantTargetPlatform 1']],
    ['FROM --platform=${TARGETPLATFORM:+linux/arm64} a', []],
    ['FROM --platform=$BUILDPLATFORM a', []],
    ['FROM --platform=linux/arm64 a', ['FromPlatformFlagConstDisallowed 1']],
    ['FROM --platform=linux/arm64 a AS for-arm64', []],
    ['FROM --platform=linux/arm64 a AS on-linux', []],
  ])('of %j', (text, expected) => {
    expect(rules(text)).toEqual(expected);
  });

  it('says what was probably meant', () => {
    expect(graphOf('ARG VERSION=1\nFROM a$VERSON').diagnostics[0]!.message).toContain('did you mean VERSION?');
  });
});

describe('lintDefaultArgs', () => {
  it('looks at the defaults whatever is passed', () => {
    const text = 'ARG TAG\nARG NAME=some\nFROM $NAME:$TAG\nFROM $NAME';
    expect(rules(text, { buildArgs: { TAG: '1', NAME: 'x' } })).toEqual(['InvalidDefaultArgInFrom 3']);
  });

  it('says nothing where the file asks for arguments itself', () => {
    expect(rules('ARG NAME=${NAME:?pass it}\nFROM $NAME', { buildArgs: { NAME: 'x' } })).toEqual([]);
  });
});
