import { describe, expect, it } from 'vitest';
import { verified, verifiedStream } from '../../src/stream/verified.js';
import { chunksOf, codeOf, describeBytes, readAll } from '../support/content-suite.js';

const expected = describeBytes('hello world');

describe('content that is verified', () => {
  it.each([
    ['is what it should be', ['hello', ' world'], undefined],
    ['is something else', ['hello', ' wOrld'], 'DIGEST_MISMATCH'],
    ['is cut short', ['hello'], 'SIZE_MISMATCH'],
    ['is too long', ['hello', ' world', '!'], 'SIZE_MISMATCH'],
  ])('that %s', async (_, chunks, code) => {
    expect(await codeOf(readAll(verified(chunksOf(...chunks), expected)))).toBe(code);
    expect(await codeOf(readAll(verifiedStream(chunksOf(...chunks), expected)))).toBe(code);
  });
});
