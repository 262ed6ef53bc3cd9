import { constants, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aligned, codecOn, margin, tableBytes, workIn } from '../../src/layer/codec.js';
import { inflate } from '../../src/layer/inflate.js';
import { wasmMemory } from '../../src/layer/wasm-module.js';
import { contentPool } from '../bench/context/content-pool.js';
import { randomBytes } from '../bench/context/random.js';
import { BitString, codeOf, fixedDistances, fixedLiterals, type OwnCodes, putCodes, wordsOf } from './deflate-bits.js';
import { deflate } from './deflated.js';

const kib = 1024;
const pool = contentPool();
const flush = { finishFlush: constants.Z_SYNC_FLUSH };
const marker = Buffer.from('a block behind it');
/** A last block, stored. */
const markerBlock = Buffer.concat([Buffer.of(1, marker.length, 0, ~marker.length & 255, 255), marker]);

/**
 * What zlib makes of it: the bytes, or `undefined` for what is not valid. Without a last block it is when another block can
 * follow.
 */
function judged(packed: Uint8Array): Buffer | undefined {
  try {
    return inflateRawSync(packed);
  } catch (error) {
    if ((error as { code?: string }).code !== 'Z_BUF_ERROR') return undefined;
  }
  const bytes = inflateRawSync(packed, flush);
  try {
    const followed = inflateRawSync(Buffer.concat([packed, markerBlock]));
    return followed.equals(Buffer.concat([bytes, marker])) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** The code itself, on memory that can be looked at, with the output far behind the input. */
const memory = wasmMemory(tableBytes + 10 * kib * kib);
const codec = codecOn(memory);
const everything = Buffer.from(memory.buffer);

/** Whatever comes out, if anything does. */
function sizeOf(packed: Uint8Array): number | undefined {
  everything.set(packed, tableBytes);
  const found = codec.inflate(tableBytes, packed.length, tableBytes + 4096 * kib, 4096 * kib);
  return found < 0 ? undefined : found;
}

/** Returns whether it is valid. */
function expectSameAsZlib(packed: Uint8Array): boolean {
  const bytes = judged(packed);
  const into = Buffer.alloc(bytes?.length ?? 1000, 0xa5);
  const what = (): string => Buffer.from(packed).toString('hex');
  if (sizeOf(packed) !== bytes?.length) throw new Error(`not of ${bytes?.length} bytes: ${what()}`);
  if (inflate(packed, into) !== (bytes !== undefined)) throw new Error(`not ${bytes !== undefined}: ${what()}`);
  if (bytes === undefined) return false;
  if (!into.equals(bytes)) throw new Error(`other bytes: ${what()}`);
  if (inflate(packed, Buffer.alloc(bytes.length + 1))) throw new Error(`one byte more: ${what()}`);
  if (bytes.length > 0 && inflate(packed, Buffer.alloc(bytes.length - 1))) throw new Error(`one less: ${what()}`);
  return true;
}

const words = fc
  .array(fc.tuple(fc.constantFrom('a', 'bcd', 'lading', '\0\0\0\0\0\0', 'x'.repeat(300), 'äöü'), fc.nat(40)), {
    maxLength: 400,
  })
  .map(parts => Buffer.from(parts.map(([word, number]) => `${word}${number}`).join('')));

const content = fc.oneof(
  words,
  fc.uint8Array({ maxLength: 3000 }),
  fc.tuple(fc.nat(200_000), fc.nat(20_000)).map(([at, size]) => pool.text(220_000, 0.3).subarray(at, at + size)),
);

const options: fc.Arbitrary<ZlibOptions> = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FILTERED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
  ),
  finishFlush: fc.constantFrom(constants.Z_FINISH, constants.Z_SYNC_FLUSH, constants.Z_PARTIAL_FLUSH),
});

const packedByZlib = fc.tuple(content, options).map(([bytes, how]) => deflateRawSync(bytes, how));
const packedHere = fc.tuple(content, fc.integer({ min: 0, max: 9 })).map(([bytes, level]) => deflate(bytes, level));
const packed = fc.oneof(packedByZlib, packedHere).map(bytes => Buffer.from(bytes));

/** A block with codes such as no compressor makes, and random symbols in it. */
const odd = fc
  .tuple(fc.nat(2 ** 31 - 2), fc.integer({ min: 2, max: 286 }), fc.integer({ min: 2, max: 30 }), fc.nat(600))
  .map(([seed, usedLiterals, usedDistances, length]) => {
    const noise = randomBytes(40_000, seed + 1);
    let drawn = 0;
    const choose = (below: number): number => noise.readUInt16LE((drawn++ * 2) % 39_998) % below;
    const bits = new BitString();
    // Something to point back to.
    bits.bits(0, 8).bits(2000, 16).bits(~2000, 16);
    for (const byte of noise.subarray(0, 2000)) bits.bits(byte, 8);
    const literals = codeOf(286, usedLiterals, choose);
    if (literals[256] === 0) literals.splice(256, 1, ...literals.splice(literals.findIndex(Boolean), 1, 0));
    const codes = { literals, distances: codeOf(30, usedDistances, choose), last: choose(2) === 1 };
    putCodes(bits, codes);
    const literalWords = wordsOf(codes.literals);
    const distanceWords = wordsOf(codes.distances);
    const symbols = literalWords.flatMap((word, symbol) => (word === undefined || symbol === 256 ? [] : [symbol]));
    const nearSlots = distanceWords.flatMap((word, slot) => (word === undefined || slot > 21 ? [] : [slot]));
    for (let i = 0; i < length && symbols.length > 0; i++) {
      const symbol = symbols[choose(symbols.length)]!;
      if (symbol > 256 && nearSlots.length === 0) continue;
      bits.word(literalWords[symbol]);
      if (symbol <= 256) continue;
      const extra = symbol < 265 || symbol === 285 ? 0 : ((symbol - 257) >> 2) - 1;
      bits.bits(choose(1 << extra), extra);
      const slot = nearSlots[choose(nearSlots.length)]!;
      const distanceExtra = slot < 2 ? 0 : (slot >> 1) - 1;
      bits.word(distanceWords[slot]).bits(choose(1 << distanceExtra), distanceExtra);
    }
    return Buffer.from(bits.word(literalWords[256]).bytes());
  });

describe('inflate', () => {
  it('gives what zlib gives, for what zlib has compressed and for what was compressed here', () => {
    fc.assert(fc.property(packed, bytes => void expectSameAsZlib(bytes)));
    fc.assert(
      fc.property(content, fc.integer({ min: 0, max: 9 }), (bytes, level) => {
        const into = Buffer.alloc(bytes.length);
        return inflate(deflate(bytes, level), into) && into.equals(bytes);
      }),
    );
  });

  it('does so for whole segments', () => {
    const noise = randomBytes(400 * kib, 3);
    const bytes = Buffer.concat([
      pool.text(900 * kib, 0.3),
      noise,
      pool.binary(600 * kib, 0.5),
      Buffer.alloc(300 * kib),
    ]);
    for (let level = 0; level < 10; level++) {
      expect(expectSameAsZlib(deflate(bytes, level))).toBe(true);
      expect(expectSameAsZlib(deflateRawSync(bytes, { level }))).toBe(true);
    }
  });

  it('does so for blocks that no compressor makes', () => {
    let valid = 0;
    fc.assert(
      fc.property(odd, bytes => {
        valid += Number(expectSameAsZlib(bytes));
      }),
      { numRuns: 300 },
    );
    expect(valid).toBeGreaterThan(50);
  });

  it('takes for valid what zlib does, whatever was cut off', () => {
    fc.assert(
      fc.property(fc.oneof(packed, odd), fc.nat(), (bytes, at) => {
        expectSameAsZlib(bytes.subarray(0, at % (bytes.length + 1)));
      }),
      { numRuns: 300 },
    );
  });

  it('takes for valid what zlib does, whichever bits are turned', () => {
    const turned = fc.tuple(fc.oneof(packed, odd), fc.array(fc.nat(), { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(turned, fc.boolean(), ([bytes, places], early) => {
        for (const place of places) {
          const bit = place % (Math.min(bytes.length, early ? 80 : Number.MAX_SAFE_INTEGER) * 8);
          bytes[bit >> 3]! ^= 1 << (bit & 7);
        }
        expectSameAsZlib(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('takes for valid what zlib does, of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => void expectSameAsZlib(bytes)),
      { numRuns: 2000 },
    );
    // All that begin a block with codes of its own.
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), bytes => {
        bytes[0] = (bytes[0]! & ~6) | 4;
        expectSameAsZlib(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('copies from every distance in every length', () => {
    const before = randomBytes(300, 4);
    for (let distance = 1; distance <= 40; distance++) {
      for (let length = 3; length <= 258; length++) {
        const bytes = Buffer.alloc(300 + length);
        before.copy(bytes);
        for (let i = 0; i < length; i++) bytes[300 + i] = bytes[300 + i - distance]!;
        const end = randomBytes(20, length);
        const into = Buffer.alloc(bytes.length + 20);
        expect(inflate(deflateRawSync(Buffer.concat([bytes, end])), into)).toBe(true);
        if (!into.equals(Buffer.concat([bytes, end]))) throw new Error(`distance ${distance}, length ${length}`);
      }
    }
    const noise = randomBytes(32 * kib, 5);
    expect(expectSameAsZlib(deflate(Buffer.concat([noise, noise]), 6))).toBe(true);
  });

  describe('finds what is not valid', () => {
    const literals = (last = 1): number[] => Array.from({ length: 257 }, (_, i) => (i === 0 || i === 256 ? last : 0));
    const own = (codes: Partial<OwnCodes>, words: readonly string[] = []): Uint8Array => {
      const bits = new BitString();
      putCodes(bits, { literals: literals(), distances: [0], last: true, ...codes });
      for (const word of words) bits.word(word);
      return bits.bytes();
    };
    const fixed = (...parts: ReadonlyArray<string | undefined>): Uint8Array => {
      const bits = new BitString().bits(1, 1).bits(1, 2);
      for (const part of parts) bits.word(part);
      return bits.bytes();
    };
    const [a, end] = [fixedLiterals[97], fixedLiterals[256]];
    const far = [fixedLiterals[285], fixedDistances[0]];
    const withLength = [...literals(2), 2];
    const header = (symbols: Readonly<Record<number, number>>): number[] =>
      Array.from({ length: 19 }, (_, i) => symbols[i] ?? 0);
    const cases: ReadonlyArray<readonly [what: string, bytes: Uint8Array, valid: boolean]> = [
      ['nothing', new Uint8Array(0), true],
      ['a block with the fixed codes', fixed(a, a, end), true],
      ['one that does not end', fixed(a, a), false],
      ['a kind of block that there is not', Uint8Array.of(7, 0, 0), false],
      ['a stored block', Uint8Array.of(1, 1, 0, 254, 255, 97), true],
      ['one with a wrong size', Uint8Array.of(1, 1, 0, 253, 255, 97), false],
      ['one that is cut', Uint8Array.of(1, 2, 0, 253, 255, 97), false],
      ['one whose size is cut', Uint8Array.of(1, 2, 0, 253), false],
      ['a match', fixed(a, fixedLiterals[257], fixedDistances[0], end), true],
      ['one from before the beginning', fixed(a, fixedLiterals[257], fixedDistances[1], end), false],
      ['one at the very beginning', fixed(fixedLiterals[257], fixedDistances[0], end), false],
      ['a length that there is not', fixed(a, fixedLiterals[286], fixedDistances[0], end), false],
      ['the other one', fixed(a, fixedLiterals[287], fixedDistances[0], end), false],
      [
        'a distance that there is not, and what would do behind it',
        fixed(a, ...far, ...far, fixedLiterals[257], fixedDistances[30], end, end, end),
        false,
      ],
      ['a distance that there is not', fixed(a, fixedLiterals[257], fixedDistances[30], end), false],
      ['the other one', fixed(a, fixedLiterals[257], fixedDistances[31], end), false],
      ['codes of its own', own({}, ['0', '0', '1']), true],
      ['no end', own({ literals: [1, 1, ...literals().slice(2, 256), 0] }, ['0', '1']), false],
      ['only the end', own({ literals: [0, ...literals().slice(1)] }, ['0']), true],
      ['only the end, and another word', own({ literals: [0, ...literals().slice(1)] }, ['1']), false],
      ['words that overlap', own({ literals: [1, 1, ...literals().slice(2)] }, ['0', '1']), false],
      ['words that are missing', own({ literals: literals(2) }, ['00', '01']), false],
      ['distances that overlap', own({ distances: [1, 1, 1] }, ['0', '1']), false],
      ['distances that are missing', own({ distances: [2, 2] }, ['0', '1']), false],
      [
        'one distance',
        own({ literals: [...literals(1).slice(0, 256), 2, 2], distances: [1] }, ['0', '11', '0', '10']),
        true,
      ],
      [
        'one distance, and another word',
        own({ literals: [...literals(1).slice(0, 256), 2, 2], distances: [1] }, ['0', '11', '1', '10']),
        false,
      ],
      ['one distance of two bits', own({ distances: [2] }, ['0', '1']), false],
      ['a match without distances', own({ literals: withLength, distances: [0] }, ['00', '10', '0', '01']), false],
      [
        'as many literals as may be',
        own({ literals: [...literals(), ...Array.from({ length: 29 }, () => 0)] }, ['1']),
        true,
      ],
      ['more', own({ literals: [...literals(), ...Array.from({ length: 30 }, () => 0)] }, ['1']), false],
      ['as many distances as may be', own({ distances: Array.from({ length: 30 }, () => 0) }, ['1']), true],
      ['more', own({ distances: Array.from({ length: 31 }, () => 0) }, ['1']), false],
      ['the most', own({ distances: Array.from({ length: 32 }, () => 0) }, ['1']), false],
      [
        'runs',
        own(
          {
            header: header({ 1: 1, 18: 1 }),
            items: [[1], [18, 127], [18, 106], [1], [18, 0]],
            distances: Array.from({ length: 11 }, () => 0),
          },
          ['0', '1'],
        ),
        true,
      ],
      [
        'a run past the end',
        own(
          {
            header: header({ 1: 1, 18: 1 }),
            items: [[1], [18, 127], [18, 106], [1], [18, 0]],
            distances: Array.from({ length: 10 }, () => 0),
          },
          ['0', '1'],
        ),
        false,
      ],
      ['a repetition of nothing', own({ items: [[16, 0], [18, 127], [18, 104], [1], [1]] }, ['0', '1']), false],
      ['a code of no words for the lengths', own({ header: header({}), items: [] }), false],
      ['one of one word', own({ header: header({ 0: 1 }), items: literals().map(() => [0]) }), false],
      [
        'one of words that overlap',
        own({ header: header({ 0: 1, 1: 1, 2: 1 }), items: literals().map(() => [0]) }),
        false,
      ],
      ['one with words missing', own({ header: header({ 0: 1, 1: 2 }) }, ['0', '1']), false],
    ];

    it.each(cases)('%s', (_, bytes, valid) => {
      expect(expectSameAsZlib(bytes)).toBe(valid);
      // Behind a block, too, which has made tables of its own.
      expectSameAsZlib(Buffer.concat([deflate(Buffer.from('before'), 6), bytes]));
    });
  });

  it('leaves alone what is behind a last block', () => {
    const bytes = Buffer.concat([deflateRawSync(Buffer.from('all')), randomBytes(100, 1)]);
    expect(expectSameAsZlib(bytes)).toBe(true);
  });

  it('goes on with tables of its own after an error in others', () => {
    const good = deflateRawSync(pool.text(50 * kib, 0.2), { strategy: constants.Z_FIXED });
    const own = deflate(pool.text(50 * kib, 0.2), 6);
    for (const bytes of [
      good,
      own,
      good,
      own.subarray(0, 30),
      good,
      own.subarray(0, 3000),
      own,
      good.subarray(0, 99),
      good,
    ]) {
      expectSameAsZlib(bytes);
    }
  });

  it('writes nothing past the room for the output, and reads what was there into nothing', () => {
    const bytes = Buffer.concat([pool.text(60 * kib, 0.3), Buffer.alloc(70 * kib), randomBytes(70 * kib, 2)]);
    const inputs = [1, 4, 9].map(level => deflate(bytes, level));
    inputs.push(deflateRawSync(Buffer.alloc(300 * kib)), deflateRawSync(Buffer.from('abcdefghi'.repeat(30_000))));
    const memory = everything.subarray(0, tableBytes + 1200 * kib);
    for (const input of inputs) {
      for (const size of [0, 1, 1000, 60 * kib - 7, 100 * kib, 200 * kib, 200 * kib + 1, 400 * kib]) {
        const results = [0x00, 0xa5, 0xff].map(filler => {
          memory.fill(filler, tableBytes);
          memory.set(input, tableBytes);
          const from = aligned(tableBytes + input.length + margin);
          const found = codec.inflate(tableBytes, input.length, from, size);
          const past = memory.subarray(from + size + margin);
          expect(past.equals(Buffer.alloc(past.length, filler))).toBe(true);
          expect(memory.subarray(tableBytes, tableBytes + input.length).equals(input)).toBe(true);
          return found === size ? Buffer.from(memory.subarray(from, from + size)) : undefined;
        });
        expect(results[0]?.length ?? -1).toBe(judged(input)?.length === size ? size : -1);
        for (const result of results) expect(result === undefined || result.equals(results[0]!)).toBe(true);
      }
    }
  });

  it('does not take more than there is room for', () => {
    expect(inflate(Buffer.alloc(64 * kib * kib + 1), Buffer.alloc(1))).toBe(false);
    expect(inflate(Buffer.alloc(10), Buffer.alloc(64 * kib * kib + 1))).toBe(false);
    expect(expectSameAsZlib(deflate(Buffer.from('as usual after that'), 6))).toBe(true);
  });

  it('does the same in place', () => {
    const memory = wasmMemory(tableBytes + 2 * kib * kib);
    workIn(memory);
    const all = new Uint8Array(memory.buffer);
    const bytes = pool.text(300 * kib, 0.4);
    for (const [i, input] of [deflate(bytes, 1), deflateRawSync(bytes), deflate(bytes, 0)].entries()) {
      const at = tableBytes + 1000 * i;
      const into = all.subarray(at, at + bytes.length);
      const packed = all.subarray(at + 500 * kib, at + 500 * kib + input.length);
      packed.set(input);
      expect(inflate(packed, into)).toBe(true);
      expect(bytes.equals(into)).toBe(true);
      expect(input.equals(packed)).toBe(true);
      expect(inflate(packed, all.subarray(at, at + bytes.length - 1))).toBe(false);
      expect(inflate(packed.subarray(0, 3000), into)).toBe(false);
      // What lies elsewhere is copied.
      const elsewhere = Buffer.alloc(bytes.length);
      expect(inflate(packed, elsewhere)).toBe(true);
      expect(elsewhere.equals(bytes)).toBe(true);
    }
  });
});
