import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../src/stream/bytes.js';
import { isSelfChecking, markSelfChecking, observed } from '../../src/stream/self-checking.js';
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
    // However often, and whoever looks on.
    const again = verified(
      observed(verifiedStream(chunksOf(...chunks), expected), () => {}),
      expected,
    );
    expect(await codeOf(readAll(again))).toBe(code);
  });

  it('is not hashed again, but counted', async () => {
    const unread = verifiedStream(chunksOf('hello', ' world'), expected);
    expect(isSelfChecking(unread, expected.digest)).toBe(true);
    const begun = verified(chunksOf('hello', ' world'), expected);
    await begun.next();
    expect(await codeOf(readAll(verified(begun, expected)))).toBe('SIZE_MISMATCH');
  });

  it('is hashed when it checked itself against something else', async () => {
    const other = describeBytes('hello-world');
    const content = verified(chunksOf('hello-world'), other);
    expect(isSelfChecking(content, expected.digest)).toBe(false);
    expect(await codeOf(readAll(verified(content, expected)))).toBe('DIGEST_MISMATCH');
  });

  it('is not believed when it is derived from what checks itself', async () => {
    const stream = markSelfChecking(Readable.from(chunksOf('hello world')), expected.digest);
    async function* changed(content: Bytes): AsyncGenerator<Uint8Array> {
      for await (const chunk of content) yield Buffer.from(Buffer.from(chunk).toString().toUpperCase());
    }
    expect(await codeOf(readAll(verified(changed(stream), expected)))).toBe('DIGEST_MISMATCH');
  });
});

describe('content that is observed', () => {
  it('shows every chunk when it has been passed on', async () => {
    const seen: string[] = [];
    const content = observed(chunksOf('a', 'b'), chunk => seen.push(Buffer.from(chunk).toString()));
    for await (const chunk of content) seen.push(`<${Buffer.from(chunk).toString()}`);
    expect(seen).toEqual(['<a', 'a', '<b', 'b']);
    expect(isSelfChecking(content, expected.digest)).toBe(false);
  });
});
