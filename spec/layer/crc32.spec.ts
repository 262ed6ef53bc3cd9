import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineCrc32 } from '../../src/layer/crc32.js';

describe('combineCrc32', () => {
  it('is the CRC of one piece behind the other', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])));
      }),
    );
  });

  it('goes past 4 GiB', () => {
    // 5 GiB of zeros, put together from 320 pieces one by one, and from two.
    const piece = 16 * 1024 * 1024;
    const one = crc32(Buffer.alloc(piece));
    const first = crc32(Buffer.from('first'));
    const zeros = (count: number): number => {
      let crc = 0;
      for (let i = 0; i < count; i++) crc = combineCrc32(crc, one, piece);
      return crc;
    };
    let slowly = first;
    for (let i = 0; i < 320; i++) slowly = combineCrc32(slowly, one, piece);
    expect(combineCrc32(first, zeros(320), 320 * piece)).toBe(slowly);
  });
});
