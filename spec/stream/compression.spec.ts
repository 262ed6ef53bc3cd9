import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import type { Bytes } from '../../src/stream/bytes.js';
import { type ArchiveCompression, decompress, sniffCompression } from '../../src/stream/compression.js';
import { built, writeFiles } from '../support/building.js';

function pack(program: string, content: Uint8Array, ...args: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync(program, ['-c', ...args], { input: content, maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(String(stderr));
  return stdout;
}

async function* pieces(bytes: Uint8Array, size: number): Bytes & AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unpacked(bytes: Uint8Array, compression: ArchiveCompression, size = 65_536): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(pieces(bytes, size), compression, 'it')) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** Bytes that do not compress well, the same each time. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const contents: ReadonlyArray<readonly [string, Buffer]> = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('a')],
  ['runs of every length', Buffer.concat(Array.from({ length: 300 }, (_, i) => Buffer.alloc(i, i % 3)))],
  ['a run of several blocks', Buffer.alloc(5_000_000, 7)],
  ['noise of several blocks', noise(2_200_000)],
  ['text', Buffer.from('the quick brown fox\n'.repeat(60_000))],
];

describe.each(['bzip2', 'xz'] as const)('decompress %s', compression => {
  it.each(contents)('gives back %s', async (_, content) => {
    for (const level of ['-1', '-9']) {
      const packed = pack(compression, content, level);
      expect(sniffCompression(packed)).toBe(compression);
      expect((await unpacked(packed, compression)).equals(content)).toBe(true);
    }
  });

  it('does not depend on where pieces end', async () => {
    const content = noise(3_000);
    for (const size of [1, 7, 100]) {
      expect((await unpacked(pack(compression, content), compression, size)).equals(content)).toBe(true);
    }
  });

  it('reads streams that follow one another', async () => {
    const packed = Buffer.concat(['one ', 'two ', ''].map(text => pack(compression, Buffer.from(text))));
    expect((await unpacked(packed, compression)).toString()).toBe('one two ');
  });

  it('refuses what is cut, changed or followed by something else', async () => {
    const packed = pack(compression, noise(20_000));
    const damaged = [
      ...[0.1, 0.5, 0.99].map(part => packed.subarray(0, Math.floor(packed.length * part))),
      packed.subarray(0, packed.length - 1),
      ...[5, 300, 10_000].map(at =>
        Buffer.concat([packed.subarray(0, at), Buffer.of(packed[at]! ^ 4), packed.subarray(at + 1)]),
      ),
      Buffer.concat([packed, Buffer.from('something else')]),
    ];
    for (const bytes of damaged) {
      const error = await unpacked(bytes, compression).then(
        () => undefined,
        thrown => thrown as unknown,
      );
      expect(isLadingError(error), String(error)).toBe(true);
      expect(['CORRUPT_STREAM', 'UNSUPPORTED']).toContain((error as { code: string }).code);
    }
  });

  it('never hangs or lets an error of ours out on any damage', async () => {
    const packed = pack(compression, Buffer.from('hello hello hello hello'.repeat(20)));
    for (let at = 0; at < packed.length; at++) {
      const changed = Buffer.from(packed);
      changed[at]! ^= 1 << (at % 8);
      await unpacked(changed, compression).catch(error => expect(isLadingError(error), String(error)).toBe(true));
    }
  });

  it('passes errors of the source on, and closes it when it is abandoned', async () => {
    const packed = pack(compression, noise(6_000_000), '-1');
    let closed = 0;
    async function* source(fails: boolean): AsyncGenerator<Uint8Array> {
      try {
        yield* pieces(packed.subarray(0, 4_000_000), 65_536);
        if (fails) throw new Error('the disk');
        yield packed.subarray(4_000_000);
      } finally {
        closed += 1;
      }
    }
    const reading = async (fails: boolean): Promise<void> => {
      for await (const _ of decompress(source(fails), compression, 'it')) if (!fails) break;
    };
    await expect(reading(true)).rejects.toThrow('the disk');
    await reading(false);
    expect(closed).toBe(2);
    expect((await unpacked(pack(compression, Buffer.from('x')), compression)).toString()).toBe('x');
  });
});

describe('xz', () => {
  it('says which archives it cannot read', async () => {
    const error = await unpacked(pack('xz', noise(100), '--check=sha256'), 'xz').catch(thrown => thrown as unknown);
    expect(isLadingError(error, 'UNSUPPORTED')).toBe(true);
  });
});

describe('ADD of an archive', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lading-compression-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each(['bzip2', 'xz'])('unpacks one compressed with %s, and copies other files so compressed', async program => {
    const from = writeFiles(join(folder, 'from'), { 'd/a': 'content' });
    const tar = spawnSync('tar', ['-c', '--owner=5', '--group=6', '--mode=u=rwX,go=rX', '-C', from, 'd']).stdout;
    const context = writeFiles(join(folder, 'context'), { Dockerfile: 'FROM scratch\nADD a /a/\nADD b /b\n' });
    writeFileSync(join(context, 'a'), pack(program, tar));
    const text = pack(program, Buffer.from('text'));
    writeFileSync(join(context, 'b'), text);
    expect((await built(join(folder, 'store'), context)).files).toEqual([
      'a directory 755 0:0',
      'a/d directory 755 5:6',
      'a/d/a file 644 5:6 7',
      `b file 644 0:0 ${text.length}`,
    ]);
  });
});
