import { statSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  copyIdentity,
  hostIdentity,
  type IdentityNumbers,
  identityNumbers,
  identitySize,
  identityTime,
  identityTimes,
  identityWords,
  sameIdentity,
} from '../../src/tree/host-identity.js';

const unsigned = fc.bigInt(0n, 2n ** 64n - 1n);
const signed = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const anyNumbers: fc.Arbitrary<IdentityNumbers> = fc.record({
  dev: unsigned,
  ino: unsigned,
  size: fc.bigInt(0n, 2n ** 53n - 1n),
  mtimeNs: signed,
  ctimeNs: signed,
  mode: fc.bigInt(0n, 0o177777n),
});

describe('HostIdentity', () => {
  it('gives back what it was made of', () => {
    fc.assert(
      fc.property(anyNumbers, numbers => {
        const identity = hostIdentity(numbers);
        expect(identityNumbers(identity)).toEqual(numbers);
        expect(identitySize(identity)).toBe(Number(numbers.size));
        expect(identityTimes(identity)).toEqual({ mtime: Number(numbers.mtimeNs), ctime: Number(numbers.ctimeNs) });
      }),
    );
  });

  it('is what stat says', () => {
    const { dev, ino, size, mtimeNs, ctimeNs, mode } = statSync('package.json', { bigint: true });
    const stats = { dev, ino, size, mtimeNs, ctimeNs, mode };
    expect(identityNumbers(hostIdentity(statSync('package.json', { bigint: true })))).toEqual(stats);
  });

  it('knows the time to the nanosecond', () => {
    const whole = 1_000_000_000n;
    const near = fc.tuple(fc.bigInt(-(2n ** 33n), 2n ** 33n), fc.bigInt(-2n, 2n)).map(([a, b]) => a * whole + b);
    fc.assert(
      fc.property(fc.oneof(signed, near), mtimeNs => {
        const { mtime, mtimeNanoseconds } = identityTime(hostIdentity({ ...none, mtimeNs }));
        expect(BigInt(mtime) * whole + BigInt(mtimeNanoseconds!)).toBe(mtimeNs);
        expect(mtimeNanoseconds).toBeGreaterThanOrEqual(0);
        expect(mtimeNanoseconds).toBeLessThan(1e9);
      }),
    );
  });

  it('is the same when every number is, but for what kind of file it is', () => {
    fc.assert(
      fc.property(anyNumbers, anyNumbers, fc.constantFrom(...fields), (numbers, others, field) => {
        const changed = hostIdentity({ ...numbers, [field]: others[field] });
        const { words, at } = hostIdentity(numbers);
        expect(sameIdentity(words, at, words, at)).toBe(true);
        const mask = field === 'mode' ? 0o7777n : 2n ** 64n - 1n;
        expect(sameIdentity(words, at, changed.words, changed.at)).toBe(
          (numbers[field] & mask) === (others[field] & mask),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('can be copied from row to row', () => {
    const [first, second] = [
      hostIdentity({ ...none, ino: 5n }),
      hostIdentity({ ...none, ino: 2n ** 64n - 1n, dev: 7n }),
    ];
    const table = new Int32Array(2 * identityWords);
    copyIdentity(first.words, first.at, table, 0);
    copyIdentity(second.words, second.at, table, identityWords);
    expect(sameIdentity(first.words, first.at, table, 0)).toBe(true);
    expect(identityNumbers({ words: table, at: identityWords })).toEqual(identityNumbers(second));
    expect(sameIdentity(table, 0, table, identityWords)).toBe(false);
  });
});

const none: IdentityNumbers = { dev: 0n, ino: 0n, size: 0n, mtimeNs: 0n, ctimeNs: 0n, mode: 0n };
const fields = Object.keys(none) as Array<keyof IdentityNumbers>;
