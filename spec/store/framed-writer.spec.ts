import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { frame, readFramed } from '../../src/store/framed-file.js';
import { FramedReader } from '../../src/store/framed-reader.js';
import { FramedWriter } from '../../src/store/framed-writer.js';
import { openFiles, tempDir } from '../layer/layer-files.js';

const kind = 'kind 1';

function pieces(count: number, size: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.alloc(size, `piece ${i} `));
}

describe('a framed file that is written piece by piece', () => {
  for (const [what, payload] of [
    ['nothing', []],
    ['a little', pieces(3, 10)],
    ['more than is held', pieces(50, 100_000)],
    ['a piece that is more than is held', [...pieces(2, 3_000_000), Buffer.from('end')]],
  ] as const) {
    it(`is the same as one that is written at once: ${what}`, async () => {
      const [temporary, path] = [join(tempDir(), 'temporary'), join(tempDir(), 'file')];
      writeFileSync(path, 'what was there before');
      const writer = new FramedWriter(kind, temporary);
      for (const piece of payload) writer.add(piece);
      writer.place(path);
      writer.drop();
      expect(readFileSync(path).equals(Buffer.concat(frame(kind, payload)))).toBe(true);
      expect(Buffer.concat(payload).equals((await readFramed(kind, path)) as Buffer)).toBe(true);
      expect(existsSync(temporary)).toBe(false);
    });
  }

  it('leaves nothing when it is dropped, or cannot be placed', async () => {
    for (const payload of [pieces(1, 10), pieces(50, 100_000)]) {
      const folder = tempDir();
      const dropped = new FramedWriter(kind, join(folder, 'dropped'));
      for (const piece of payload) dropped.add(piece);
      dropped.drop();
      const writer = new FramedWriter(kind, join(folder, 'temporary'));
      for (const piece of payload) writer.add(piece);
      mkdirSync(join(folder, 'path', 'below'), { recursive: true });
      expect(() => writer.place(join(folder, 'path'))).toThrow(expect.objectContaining({ code: 'IO' }));
      expect(readdirSync(folder)).toEqual(['path']);
      expect(openFiles().filter(path => path.startsWith(folder))).toEqual([]);
    }
  });
});

describe('a framed file that is read in parts', () => {
  const payload = Buffer.concat(pieces(21, 1_000_003));
  const write = (): string => {
    const path = join(tempDir(), 'file');
    writeFileSync(path, Buffer.concat(frame(kind, [payload])));
    return path;
  };

  it('gives any part, also when another file has got its name', async () => {
    const path = write();
    const reader = (await FramedReader.open(kind, path))!;
    const other = new FramedWriter(kind, join(tempDir(), 'temporary'));
    other.add(Buffer.from('other'));
    other.place(path);
    expect(reader.size).toBe(payload.length);
    for (const [at, length] of [
      [0, 10],
      [5_000_000, 2_000_000],
      [payload.length - 3, 3],
      [7, 0],
    ] as const) {
      expect(reader.read(at, length)!.equals(payload.subarray(at, at + length))).toBe(true);
    }
    expect(reader.read(payload.length - 3, 4)).toBeUndefined();
    reader.close();
    reader.close();
    expect(reader.read(0, 1)).toBeUndefined();
    expect(openFiles()).not.toContain(path);
  });

  it('is nothing when it is not there, of another kind, cut or changed', async () => {
    const path = write();
    const whole = readFileSync(path);
    expect(await FramedReader.open('kind 2', path)).toBeUndefined();
    expect(await FramedReader.open(kind, `${path}.none`)).toBeUndefined();
    for (const at of [0, 3, 20, 80, 100, 9_000_000, whole.length - 1]) {
      const spoilt = Buffer.from(whole);
      spoilt[at]! ^= 1;
      writeFileSync(path, spoilt);
      expect(await FramedReader.open(kind, path)).toBeUndefined();
      truncateSync(path, at);
      expect(await FramedReader.open(kind, path)).toBeUndefined();
    }
    expect(openFiles()).not.toContain(path);
  });
});
