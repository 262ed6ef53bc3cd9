import { createHash } from 'node:crypto';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fastDeflate } from '../../src/layer/fast-deflate.js';
import { contentPool } from '../bench/context/content-pool.js';
import { randomBytes } from '../bench/context/random.js';

const flush = { finishFlush: constants.Z_SYNC_FLUSH };
const kib = 1024;

function inflated(packed: Uint8Array): Buffer {
  return inflateRawSync(packed, flush);
}

/** Text with words of a small alphabet: many matches, near and far. */
const text = fc
  .array(fc.tuple(fc.constantFrom('a', 'bcd', 'lading', '\0\0\0\0\0\0', 'x'.repeat(300), 'äöü'), fc.nat(40)), {
    maxLength: 2000,
  })
  .map(parts => Buffer.from(parts.map(([word, number]) => `${word}${number}`).join('')));

describe('fast deflate', () => {
  it('gives bytes that zlib inflates to what they were', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), bytes => inflated(fastDeflate(bytes)).equals(bytes)));
    fc.assert(fc.property(text, bytes => inflated(fastDeflate(bytes)).equals(bytes)));
  });

  it('does so for all short lengths', () => {
    for (let length = 0; length < 70; length++) {
      for (const bytes of [
        Buffer.alloc(length),
        randomBytes(length, length),
        Buffer.from('abcde'.repeat(14)).subarray(0, length),
      ]) {
        expect(inflated(fastDeflate(bytes)).equals(bytes), `${length}`).toBe(true);
      }
    }
  });

  it('finds matches up to the end of the window, and none beyond', () => {
    const word = randomBytes(64, 1);
    for (const distance of [64, 255, 256, 257, 512, 32_767, 32_768, 32_769, 40_000]) {
      const bytes = Buffer.concat([word, randomBytes(distance - word.length, distance), word, Buffer.alloc(16)]);
      expect(inflated(fastDeflate(bytes)).equals(bytes), `${distance}`).toBe(true);
    }
    const repeated = Buffer.concat([randomBytes(32 * kib, 7), randomBytes(32 * kib, 7)]);
    expect(fastDeflate(repeated).length).toBeLessThan(36 * kib);
  });

  it('makes runs small, and what cannot be made small hardly larger', () => {
    expect(fastDeflate(Buffer.alloc(1024 * kib)).length).toBeLessThan(2 * kib);
    const noise = randomBytes(1024 * kib, 3);
    const packed = fastDeflate(noise);
    expect(packed.length).toBeLessThan(noise.length + 200);
    expect(inflated(packed).equals(noise)).toBe(true);
  });

  it('cuts codes that would be too long', () => {
    // Frequencies that grow like this make the deepest tree of all.
    const counts = [1, 1];
    while (counts.length < 24) counts.push(counts.at(-1)! + counts.at(-2)!);
    const bytes = Buffer.concat(counts.map((count, symbol) => Buffer.alloc(count, symbol)));
    // Each three bytes apart from their like, so that there are no matches.
    const mixed = Buffer.from(bytes.map((_, i) => bytes[(i * 40_503) % bytes.length]!));
    expect(inflated(fastDeflate(mixed)).equals(mixed)).toBe(true);
  });

  it('ends on the border of a byte, so that segments can be put one behind the other', () => {
    const pieces = [
      Buffer.from('one '.repeat(50)),
      Buffer.alloc(0),
      randomBytes(3000, 5),
      Buffer.from('two '.repeat(9)),
    ];
    const packed = pieces.map(fastDeflate);
    for (const piece of packed) expect([...piece.subarray(-4)]).toEqual([0, 0, 255, 255]);
    expect(inflated(Buffer.concat(packed)).equals(Buffer.concat(pieces))).toBe(true);
  });

  it('packs text about as well as zlib at level 1', () => {
    const { text, binary } = contentPool();
    for (const bytes of [text(1024 * kib, 0.2), binary(1024 * kib, 0.6)]) {
      const zlib = deflateRawSync(bytes, { level: 1, ...flush });
      expect(fastDeflate(bytes).length / zlib.length).toBeLessThan(1.08);
      expect(inflated(fastDeflate(bytes)).equals(bytes)).toBe(true);
    }
  });

  it('always gives the same bytes', () => {
    const { text } = contentPool();
    const bytes = Buffer.concat([text(700 * kib, 0.4), randomBytes(300 * kib, 9), Buffer.alloc(100 * kib)]);
    const digest = createHash('sha256').update(fastDeflate(bytes)).digest('hex');
    fastDeflate(Buffer.from('something else in between, which leaves no trace'));
    expect(createHash('sha256').update(fastDeflate(bytes)).digest('hex')).toBe(digest);
    // Whoever changes this changes the digests of layers: `fastVersion` has to be raised.
    expect(digest).toBe('476f464a913c8a7e014af97686460411c337bf81d4b89c71f4dc20d926ab351e');
  });
});
