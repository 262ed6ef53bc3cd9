import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { frame, readFramed } from '../../src/store/framed-file.js';
import { tempDir } from '../layer/layer-files.js';

describe('a framed file', () => {
  const payload = Buffer.from('some\npayload');
  const whole = Buffer.concat(frame('kind 1', [payload.subarray(0, 4), payload.subarray(4)]));
  const reader = () => {
    const path = join(tempDir(), 'file');
    return (bytes: Buffer, kind = 'kind 1'): Promise<Buffer | 'damaged' | undefined> => {
      writeFileSync(path, bytes);
      return readFramed(kind, path);
    };
  };

  it('gives its payload back, in memory of its own', async () => {
    const read = reader();
    for (const piece of [payload, Buffer.alloc(0), Buffer.alloc(20_000_003, 'large ')]) {
      const found = (await read(Buffer.concat(frame('kind 1', [piece])))) as Buffer;
      expect(found.equals(piece)).toBe(true);
      expect(found.byteOffset).toBe(0);
    }
    expect(await readFramed('kind 1', join(tempDir(), 'none'))).toBeUndefined();
  });

  it('is nothing when a byte of it is wrong, wherever', async () => {
    const read = reader();
    for (let at = 0; at < whole.length; at++) {
      const spoilt = Buffer.from(whole);
      spoilt[at]! ^= 1;
      expect(await read(spoilt)).toBe('damaged');
      expect(await read(whole.subarray(0, at))).toBe('damaged');
    }
    expect(await read(whole, 'kind 2')).toBe('damaged');
    expect(await read(whole, 'another kind')).toBe('damaged');
    expect(await read(Buffer.concat([whole, Buffer.from('x')]))).toBe('damaged');
  });
});
