import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Codec, codecOn, tableBytes, workIn } from '../../src/layer/codec.js';
import { deflate as deflateInto, deflateRoom } from '../../src/layer/deflate.js';
import { wasmMemory } from '../../src/layer/wasm-module.js';
import { contentPool } from '../bench/context/content-pool.js';
import { randomBytes } from '../bench/context/random.js';
import { deflate } from './deflated.js';

const flush = { finishFlush: constants.Z_SYNC_FLUSH };
const kib = 1024;
/** Made once: it takes a while. */
const pool = contentPool();
const levels = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
const compressing = levels.slice(1);

function inflated(packed: Uint8Array): Buffer {
  return inflateRawSync(packed, flush);
}

/** At all levels, so that no input is tried at one alone. */
function expectReturn(bytes: Uint8Array, what = ''): void {
  for (const level of levels) {
    if (!inflated(deflate(bytes, level)).equals(bytes)) throw new Error(`level ${level} loses ${bytes.length} ${what}`);
  }
}

/** Words of a small alphabet, long runs, and numbers: many matches, near and far. */
const text = fc
  .array(fc.tuple(fc.constantFrom('a', 'bcd', 'lading', '\0\0\0\0\0\0', 'x'.repeat(300), 'äöü'), fc.nat(40)), {
    maxLength: 2000,
  })
  .map(parts => Buffer.from(parts.map(([word, number]) => `${word}${number}`).join('')));

/** Pieces of what came before and noise: across the borders of chunks, blocks and the window. */
const copies = fc
  .array(fc.tuple(fc.nat(9000), fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 1, max: 400 })), {
    minLength: 1,
    maxLength: 120,
  })
  .map(parts => {
    let bytes = Buffer.alloc(0);
    for (const [fresh, distance, length] of parts) {
      const noise = randomBytes(fresh, fresh + 1);
      const from = Math.max(0, bytes.length - distance);
      bytes = Buffer.concat([bytes, noise, bytes.subarray(from, from + length)]);
    }
    return bytes;
  });

/** The files of a folder of this project, one behind the other, up to 1 MiB. */
function sources(folder: string, end: string): Buffer {
  const top = join(import.meta.dirname, '../..', folder);
  const entries = readdirSync(top, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => entry.isFile() && entry.name.endsWith(end));
  return Buffer.concat(files.map(({ parentPath, name }) => readFileSync(join(parentPath, name)))).subarray(
    0,
    1024 * kib,
  );
}

/** The code itself, on memory that can be looked at. */
interface Module {
  readonly codec: Codec & { outputBound(size: number): number };
  readonly bytes: Buffer;
}

function instantiate(): Module {
  const memory = wasmMemory(tableBytes + 5 * kib * kib);
  return { codec: codecOn(memory) as Module['codec'], bytes: Buffer.from(memory.buffer) };
}

describe('deflate', () => {
  it('gives bytes that zlib inflates to what they were', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), bytes => expectReturn(bytes)));
    fc.assert(fc.property(text, bytes => expectReturn(bytes)));
    fc.assert(
      fc.property(copies, bytes => expectReturn(bytes)),
      { numRuns: 15 },
    );
  });

  it('does so for all short lengths', () => {
    for (let length = 0; length < 70; length++) {
      expectReturn(Buffer.alloc(length), 'zeros');
      expectReturn(randomBytes(length, length + 1), 'bytes of noise');
      expectReturn(Buffer.from('abcde'.repeat(14)).subarray(0, length), 'letters');
    }
  });

  it('does so for lengths around those of chunks, blocks and stored blocks', () => {
    const noise = randomBytes(150 * kib, 5);
    const words = pool.text(150 * kib, 0.3);
    for (const size of [12_288, 16_384, 65_535, 131_070, 131_072, 143_360]) {
      for (const length of [size - 1, size, size + 1, size + 4]) {
        for (const level of [0, 1, 4, 6]) {
          const bytes = Buffer.concat([noise.subarray(0, length), words]);
          expect(inflated(deflate(words.subarray(0, length), level)).equals(words.subarray(0, length))).toBe(true);
          expect(inflated(deflate(bytes, level)).equals(bytes)).toBe(true);
        }
      }
    }
  });

  it('holds every byte, also when each is as frequent as the other', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    expectReturn(all);
    expectReturn(Buffer.concat(Array.from({ length: 64 }, () => all)));
    expectReturn(Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * i) >> 8)));
  });

  it('finds matches up to the end of the window, and none beyond', () => {
    const word = randomBytes(64, 1);
    for (const distance of [64, 255, 256, 257, 4096, 4097, 32_767, 32_768, 32_769, 40_000, 65_536, 98_304]) {
      expectReturn(Buffer.concat([word, randomBytes(distance - 64, distance), word, Buffer.alloc(16)]), `${distance}`);
    }
    // The same noise again, as far away as may be, and one byte further.
    const noise = randomBytes(32 * kib, 7);
    for (const level of compressing) {
      expect(deflate(Buffer.concat([noise, noise]), level).length).toBeLessThan(40 * kib);
      expect(deflate(Buffer.concat([noise, Buffer.of(1), noise]), level).length).toBeGreaterThan(64 * kib);
    }
  });

  it('writes matches of every length, the longest too', () => {
    const word = randomBytes(300, 2);
    for (let length = 3; length <= 300; length++) {
      expectReturn(Buffer.concat([word, randomBytes(9, length), word.subarray(0, length), randomBytes(9, 1)]));
    }
  });

  it('makes runs small, and what cannot be made small hardly larger', () => {
    const noise = randomBytes(1024 * kib, 3);
    for (const level of compressing) {
      expect(deflate(Buffer.alloc(1024 * kib), level).length).toBeLessThan(1300);
      const packed = deflate(noise, level);
      expect(packed.length).toBeLessThan(noise.length + 200);
      expect(inflated(packed).equals(noise)).toBe(true);
    }
  });

  it('cuts codes that would be too long', () => {
    // Frequencies that grow like this make the deepest tree of all.
    const counts = [1, 1];
    while (counts.length < 24) counts.push(counts.at(-1)! + counts.at(-2)!);
    const bytes = Buffer.concat(counts.map((count, symbol) => Buffer.alloc(count, symbol)));
    expectReturn(bytes);
    // Mixed, so that there are few matches and many literals.
    expectReturn(Buffer.from(bytes.map((_, i) => bytes[(i * 40_503) % bytes.length]!)));
  });

  it('writes long words beside matches from far away', () => {
    // Runs of one byte make the words of all others long; three of these are in front of each match.
    const word = randomBytes(40_000, 11).map(byte => byte | 1);
    for (const run of [40, 300, 3000]) {
      const parts: Uint8Array[] = [word];
      for (let i = 0; i < 60; i++) {
        const from = (i * 7919) % 9000;
        parts.push(
          Buffer.alloc(run),
          randomBytes(1 + (i % 4), i + 1),
          word.subarray(from, from + 4 + ((i * 37) % 290)),
        );
      }
      expectReturn(Buffer.concat(parts), `${run}`);
    }
  });

  it('lets matches begin as early as they can', () => {
    const word = randomBytes(200, 12);
    // From the first byte on, and behind literals that look as if something else began there.
    expectReturn(Buffer.concat([word, word, word]));
    // What is in memory before the first byte is no part of it.
    for (let byte = 0; byte < 256; byte++) expectReturn(Buffer.concat([word, Buffer.of(byte), word]), `${byte}`);
    for (let cut = 1; cut < 40; cut++) {
      const almost = Buffer.concat([word.subarray(0, cut), Buffer.of(word[cut]! ^ 1), word.subarray(cut + 1)]);
      const bytes = Buffer.concat([word, almost, word.subarray(cut - 1), almost, word]);
      expectReturn(bytes, `${cut}`);
      for (const level of compressing) expect(deflate(bytes, level).length).toBeLessThan(300);
    }
  });

  it('begins new blocks where the bytes change', () => {
    const halves = [pool.text(200 * kib, 0.1), randomBytes(200 * kib, 8)];
    for (const level of compressing) {
      const alone = halves.reduce((sum, half) => sum + deflate(half, level).length, 0);
      expect(deflate(Buffer.concat(halves), level).length / alone).toBeLessThan(1.01);
    }
  });

  it('ends on the border of a byte, so that pieces can be put one behind the other', () => {
    const pieces = [
      Buffer.from('one '.repeat(50)),
      Buffer.alloc(0),
      randomBytes(3000, 5),
      Buffer.from('two '.repeat(9)),
    ];
    for (const level of levels) {
      const packed = pieces.map(piece => Buffer.from(deflate(piece, level)));
      for (const piece of packed) expect([...piece.subarray(-4)]).toEqual([0, 0, 255, 255]);
      expect(inflated(Buffer.concat(packed)).equals(Buffer.concat(pieces))).toBe(true);
    }
  });

  it('makes real files about as small as zlib does at the same level, or smaller', () => {
    for (const bytes of [sources('src', '.ts'), sources('docs', '.md'), sources('testdata', '')]) {
      for (const level of compressing) {
        const zlib = deflateRawSync(bytes, { level, memLevel: 9, ...flush });
        expect(deflate(bytes, level).length / zlib.length, `${level}`).toBeLessThan(level === 1 ? 1.02 : 1.01);
      }
    }
  });

  it('makes nothing larger at a higher level', () => {
    const bytes = pool.text(500 * kib, 0.3);
    const sizes = levels.map(level => deflate(bytes, level).length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  });

  it('always gives the same bytes', () => {
    const all = [
      pool.text(300 * kib, 0.4),
      randomBytes(100 * kib, 9),
      Buffer.alloc(100 * kib),
      pool.binary(200 * kib, 0.5),
    ];
    const bytes = Buffer.concat(all);
    const digests = (): string[] =>
      levels.map(level => createHash('sha256').update(deflate(bytes, level)).digest('hex').slice(0, 16));
    const first = digests();
    deflate(randomBytes(2048 * kib, 4), 9);
    deflate(Buffer.from('something else in between, which leaves no trace'), 1);
    expect(digests()).toEqual(first);
    // Whoever changes these changes the digests of layers: `deflateVersion` has to be raised.
    expect(first).toEqual([
      '61127bb4cbf6647e',
      'd0b48b5eab2a1938',
      '47e3081450457a95',
      '3dff07455f9ad651',
      '7be48b9928d2ae73',
      '712f94368bfafcba',
      '933860ce4a61f4a5',
      'e22bd3b7cd7cdfbd',
      '3f32fb12a56edd67',
      '8ffe5dc89950e05e',
    ]);
  });

  it('depends on nothing that was in its memory, and not on where it is', () => {
    const { codec, bytes: memory } = instantiate();
    const bytes = pool.text(300 * kib, 0.4);
    for (const level of levels) {
      const result = deflate(bytes, level);
      memory.fill(level * 25 + 1, tableBytes);
      for (const at of [tableBytes, tableBytes + 1000 * kib + 8 * level]) {
        memory.set(bytes, at);
        const to = at + 400 * kib;
        const size = codec.deflate(at, bytes.length, to, level);
        expect(memory.subarray(to, to + size).equals(result)).toBe(true);
      }
    }
  });

  it('writes nothing past the room for the output', () => {
    const { codec, bytes: memory } = instantiate();
    const inputs = [Buffer.alloc(0), Buffer.of(7), randomBytes(100 * kib, 6), randomBytes(400 * kib, 6)];
    // Noise and text by turns: as many blocks as there can be.
    inputs.push(
      Buffer.concat(Array.from({ length: 40 }, (_, i) => (i % 2 ? randomBytes(13_000, i + 1) : pool.text(13_000, 0)))),
    );
    for (const bytes of inputs) {
      for (const level of levels) {
        memory.fill(0xa5, tableBytes);
        memory.set(bytes, tableBytes);
        const from = tableBytes + bytes.length + 64;
        const size = codec.deflate(tableBytes, bytes.length, from, level);
        const bound = codec.outputBound(bytes.length);
        expect(size).toBeLessThanOrEqual(bound);
        // Words of eight bytes are written at a time.
        expect(bound + 8).toBeLessThan(deflateRoom(bytes.length));
        expect(memory.subarray(from + bound + 8).every(byte => byte === 0xa5)).toBe(true);
        expect(memory.subarray(tableBytes, tableBytes + bytes.length).equals(bytes)).toBe(true);
      }
    }
  });

  it('refuses more than there is room for', () => {
    expect(() => deflate(Buffer.alloc(64 * kib * kib + 1), 1)).toThrow(RangeError);
    expect(() => deflateInto(Buffer.alloc(1000), 1, Buffer.alloc(1000))).toThrow(RangeError);
    expectReturn(Buffer.from('as usual after that'));
  });

  it('does the same in place', () => {
    const memory = wasmMemory(tableBytes + 2 * kib * kib);
    workIn(memory);
    const all = new Uint8Array(memory.buffer);
    const bytes = pool.text(300 * kib, 0.4);
    const raw = all.subarray(tableBytes + 5000, tableBytes + 5000 + bytes.length);
    const into = all.subarray(tableBytes + 400 * kib, tableBytes + 400 * kib + deflateRoom(bytes.length));
    for (const level of levels) {
      raw.set(bytes);
      const packed = deflateInto(raw, level, into);
      expect(packed).toMatchObject({ buffer: memory.buffer, byteOffset: into.byteOffset });
      expect(deflate(bytes, level).equals(packed)).toBe(true);
      // What lies elsewhere is copied.
      const elsewhere = deflateInto(raw, level, Buffer.alloc(into.length));
      expect(Buffer.from(packed).equals(elsewhere)).toBe(true);
    }
  });
});
