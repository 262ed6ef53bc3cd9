import { describe, expect, it } from 'vitest';
import { CheckedContent } from '../../src/stream/checked-content.js';
import { readableOnce, rereadable } from '../../src/stream/rereadable.js';
import { chunksOf, codeOf, describeBytes, readAll } from '../support/content-suite.js';

const bytes = Buffer.alloc(9_000_000, 'all work and no play ');
const expected = describeBytes(bytes);

function inChunks(content: Buffer, size: number, starts: number[] = []): CheckedContent {
  return new CheckedContent(
    rereadable(async function* (offset) {
      starts.push(offset);
      for (let at = offset; at < content.length; at += size) yield content.subarray(at, at + size);
    }),
    expected,
  );
}

describe('content that is checked from wherever it is read', () => {
  it('gives the rest, and reads no more again than lies behind the last state of the hash', async () => {
    const starts: number[] = [];
    const content = inChunks(bytes, 100_000, starts);
    expect((await readAll(content.from(0))).equals(bytes)).toBe(true);
    for (const offset of [0, 1, 99_999, 4_500_000, 8_999_999, bytes.length]) {
      expect((await readAll(content.from(offset))).equals(bytes.subarray(offset))).toBe(true);
    }
    expect(starts.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(starts.at(-1)).toBeGreaterThan(8_000_000);
  });

  it('gives nothing of the last chunk when the whole is wrong', async () => {
    const wrong = Buffer.from(bytes);
    wrong[10]! ^= 1;
    let given = 0;
    const reading = async (): Promise<void> => {
      for await (const chunk of inChunks(wrong, 1_000_000).from(0)) given += chunk.length;
    };
    expect(await codeOf(reading())).toBe('DIGEST_MISMATCH');
    expect(given).toBe(8_000_000);
  });

  it('notices a change in what is only read for the hash', async () => {
    let reads = 0;
    const content = new CheckedContent(
      rereadable(offset => {
        const now = Buffer.from(bytes);
        if (++reads > 1) now[5] = 0;
        return chunksOf(now.subarray(offset));
      }),
      expected,
    );
    const first = content.from(0);
    await first.next();
    await first.return(undefined);
    expect(await codeOf(readAll(content.from(2_000_000)))).toBe('DIGEST_MISMATCH');
  });

  it.each([
    ['too short', bytes.subarray(1)],
    ['too long', Buffer.concat([bytes, Buffer.from('!')])],
  ])('fails when it is %s', async (_, content) => {
    expect(await codeOf(readAll(inChunks(content, 500_000).from(0)))).toBe('SIZE_MISMATCH');
  });

  it('says when it comes only once', async () => {
    const content = new CheckedContent(readableOnce(chunksOf(bytes)), expected);
    expect(content.spent).toBe(false);
    await readAll(content.from(0));
    expect(content.spent).toBe(true);
    await expect(readAll(content.from(0))).rejects.toThrow('only once');
  });
});
