import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/layer/file-digest.js';
import type { TarLimits } from '../../src/layer/tar-entry.js';
import { readTar, type TarItem } from '../../src/layer/tar-reader.js';
import { chunked, endMarker, padded, type RawHeader, rawEntry, rawHeader, rawPax, rawTar } from './raw-tar.js';

interface Read extends Omit<TarItem, 'content'> {
  readonly content: Buffer;
}

async function read(tar: Uint8Array, sizes: readonly number[] = [], limits?: TarLimits): Promise<Read[]> {
  const items: Read[] = [];
  for await (const item of readTar(chunked(tar, sizes), { limits })) {
    const pieces: Uint8Array[] = [];
    for await (const piece of item.content) pieces.push(piece);
    items.push({ ...item, content: Buffer.concat(pieces) });
  }
  return items;
}

const only = async (tar: Uint8Array): Promise<Read> => {
  const items = await read(tar);
  expect(items).toHaveLength(1);
  return items[0]!;
};

const refused = { code: 'INVALID_ARCHIVE' };
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('readTar', () => {
  it('reads what GNU tar wrote in its many formats', async () => {
    // testdata/layers/INDEX.md says how each came about; UPDATE_GOLDEN=1 writes the listings again.
    const folder = join(dirname(fileURLToPath(import.meta.url)), '../../testdata/layers');
    const names = readdirSync(folder).filter(name => name.endsWith('.tar'));
    expect(names.length).toBeGreaterThan(8);
    const index = readFileSync(join(folder, 'INDEX.md'), 'utf8');
    for (const name of names) {
      expect(index).toContain(`\`${name}\``);
      const items = await read(readFileSync(join(folder, name)), [1000]);
      const listing = items.map(({ content, ...item }) => ({ ...item, digest: sha256(content), read: content.length }));
      const text = `${JSON.stringify(listing, undefined, 2)}\n`;
      const golden = join(folder, `${name}.json`);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
      expect(text, name).toBe(readFileSync(golden, 'utf8'));
      for (const item of items) expect(item.content.length, item.path).toBe(item.size);
    }
  });

  it('reads every type', async () => {
    const types = ['0', '\0', '7', '1', '2', '3', '4', '5', '6'];
    const tar = rawTar(...types.map(type => rawEntry({ name: `t${type}`, type, link: 'to', major: 8, minor: 9 })));
    const items = await read(tar);
    expect(items.map(item => item.type)).toEqual([
      'file',
      'file',
      'file',
      'hardlink',
      'symlink',
      'character',
      'block',
      'directory',
      'fifo',
    ]);
    expect(items[3]!.linkTarget).toBe('to');
    expect(items[5]).toMatchObject({ devMajor: 8, devMinor: 9, linkTarget: '' });
  });

  it('joins the prefix, but not in GNU headers', async () => {
    expect((await only(rawTar(rawEntry({ name: 'b', prefix: 'a' })))).path).toBe('a/b');
    expect((await only(rawTar(rawEntry({ name: 'b', prefix: 'a', magic: 'ustar  \0' })))).path).toBe('b');
    expect((await only(rawTar(rawEntry({ name: 'b', prefix: 'a', magic: '\0\0\0\0\0\0\0\0' })))).path).toBe('b');
  });

  it('takes a slash at the end of an old entry for a folder', async () => {
    expect((await only(rawTar(rawEntry({ name: 'a/', type: '\0' })))).type).toBe('directory');
    expect((await only(rawTar(rawEntry({ name: 'a/', type: '0' })))).type).toBe('file');
  });

  it('reads base-256 numbers, negative times too', async () => {
    const base256 = (value: bigint, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      let rest = BigInt.asUintN(length * 8, value);
      for (let i = length - 1; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
      bytes[0]! |= 0x80;
      return bytes;
    };
    const header: RawHeader = {
      uid: base256(3_000_000n, 8),
      gid: base256(4294967295n, 8),
      mtime: base256(-86400n, 12),
    };
    expect(await only(rawTar(rawEntry(header)))).toMatchObject({ uid: 3_000_000, gid: 4294967295, mtime: -86400 });
    for (const bad of [{ size: base256(-1n, 12) }, { uid: base256(-2n, 8) }, { size: base256(2n ** 70n, 12) }]) {
      await expect(read(rawTar(rawEntry(bad)))).rejects.toMatchObject(refused);
    }
  });

  it('accepts checksums made of signed bytes, and no wrong one', async () => {
    const name = latin1('caf\xe9');
    expect((await only(rawTar(rawEntry({ name, checksum: 'signed' })))).path).toBe('caf\udce9');
    await expect(read(rawTar(rawEntry({ checksum: 'wrong' })))).rejects.toMatchObject(refused);
    await expect(read(Buffer.alloc(512, 'x'))).rejects.toMatchObject(refused);
  });

  it('lets PAX records replace header fields', async () => {
    const records = rawPax([
      ['path', 'päth/'],
      ['size', '3'],
      ['uid', '4000000'],
      ['gid', '5'],
      ['uname', 'me'],
      ['mtime', '1.25'],
      ['SCHILY.xattr.user.x', latin1('\0\xff\n')],
      ['VENDOR.unknown', 'x'],
    ]);
    const item = await only(rawTar(records, rawEntry({ size: 0, uid: 1 }), padded('abc')));
    expect(item).toMatchObject({
      path: 'päth/',
      size: 3,
      uid: 4000000,
      gid: 5,
      uname: 'me',
      mtime: 1,
      mtimeNanoseconds: 250000000,
    });
    expect(item.content.toString()).toBe('abc');
    expect(item.xattrs).toEqual({ 'user.x': '\0\xff\n' });
  });

  it('applies records to one entry only, and global ones to none', async () => {
    const tar = rawTar(
      rawPax(
        [
          ['path', 'evil'],
          ['uid', '7'],
        ],
        'g',
      ),
      rawPax([['path', 'one']]),
      rawEntry({ name: 'x' }),
      rawEntry({ name: 'two' }),
    );
    expect((await read(tar)).map(item => [item.path, item.uid])).toEqual([
      ['one', 0],
      ['two', 0],
    ]);
  });

  it('rounds times before 1970 down', async () => {
    const at = async (mtime: string): Promise<readonly number[]> => {
      const item = await only(rawTar(rawPax([['mtime', mtime]]), rawEntry({})));
      return [item.mtime, item.mtimeNanoseconds];
    };
    expect(await at('-1.25')).toEqual([-2, 750000000]);
    expect(await at('-3')).toEqual([-3, 0]);
    expect(await at('5.1234567891')).toEqual([5, 123456789]);
    for (const bad of ['1e5', 'NaN', '1.2.3', '--1', ' 1', '99999999999999999999'])
      await expect(at(bad)).rejects.toMatchObject(refused);
  });

  it('keeps __proto__ an ordinary attribute name', async () => {
    const item = await only(rawTar(rawPax([['SCHILY.xattr.__proto__', 'x']]), rawEntry({})));
    expect(Object.keys(item.xattrs!)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(item.xattrs)).toBe(Object.prototype);
  });

  it('refuses malformed PAX headers', async () => {
    const bodies = [
      '9',
      '9 a=b',
      '5 a=b\n',
      '7 a=b\n',
      '4 =b\n',
      '6 abc\n',
      '999999999999 a=b\n',
      '-6 a=b\n',
      '0 a=b\n',
      '6 a=bX',
    ];
    for (const body of bodies) {
      const tar = rawTar(rawEntry({ name: 'x', type: 'x' }, body), rawEntry({}));
      await expect(read(tar), JSON.stringify(body)).rejects.toMatchObject(refused);
    }
    for (const [key, value] of [
      ['path', 'a\0b'],
      ['size', '-1'],
      ['size', '1x'],
      ['uid', '99999999999'],
      ['a\0b', 'c'],
    ] as const) {
      await expect(read(rawTar(rawPax([[key, value]]), rawEntry({}))), key).rejects.toMatchObject(refused);
    }
  });

  it('caps what it must hold in memory', async () => {
    const big = rawHeader({ name: 'x', type: 'x', size: 2 ** 30 });
    await expect(read(big)).rejects.toMatchObject(refused);
    await expect(read(rawHeader({ type: 'L', size: 2 ** 20 }))).rejects.toMatchObject(refused);
    await expect(read(rawTar(rawPax([['path', 'x'.repeat(5000)]]), rawEntry({})))).rejects.toMatchObject(refused);
    const many = Array.from({ length: 20 }, (_, i) => [`SCHILY.xattr.user.${i}`, ''] as const);
    await expect(read(rawTar(rawPax(many), rawEntry({})), [], { xattrs: 19 })).rejects.toMatchObject(refused);
    expect(await read(rawTar(rawPax(many), rawEntry({})), [], { xattrs: 20 })).toHaveLength(1);
  });

  it('refuses unknown types and headers that are not numbers', async () => {
    const headers: RawHeader[] = [
      { type: 'V' },
      { type: 'M' },
      { type: 'D' },
      { type: 'Z' },
      { size: 'abc' },
      { size: '-1' },
      { size: '12x45' },
      { mode: '0x1ff' },
      { uid: '??' },
      { type: '2', link: '' },
    ];
    for (const header of headers)
      await expect(read(rawTar(rawEntry(header))), JSON.stringify(header)).rejects.toMatchObject(refused);
  });

  it('passes over the size of links and folders, as Go does', async () => {
    const tar = rawTar(
      rawHeader({ name: 'l', type: '1', link: 'x', size: 512 }),
      rawHeader({ name: 'd', type: '5', size: 99 }),
      rawEntry({ name: 'f' }),
    );
    expect((await read(tar)).map(item => [item.path, item.size])).toEqual([
      ['l', 0],
      ['d', 0],
      ['f', 0],
    ]);
  });

  it('tolerates a missing end marker and refuses an archive that is cut short', async () => {
    const whole = Buffer.concat([
      rawPax([['path', 'long']]),
      rawEntry({ name: 'a' }, 'x'.repeat(700)),
      rawEntry({ name: 'b' }, 'yy'),
    ]);
    expect(await read(whole)).toHaveLength(2);
    expect(await read(Buffer.concat([whole, Buffer.alloc(512)]))).toHaveLength(2);
    expect(await read(Buffer.alloc(0))).toHaveLength(0);
    // The padding behind a content may be missing at the end, nothing else.
    const fine = (length: number): boolean => (length >= 1536 + 700 && length <= 2560) || length >= 3072 + 2;
    for (let length = 1; length < whole.length; length += 13) {
      const cut = read(whole.subarray(0, length), [300]);
      if (fine(length)) await cut;
      else await expect(cut, String(length)).rejects.toMatchObject(refused);
    }
  });

  it('refuses a block of zeros between entries, and ignores what follows the end', async () => {
    const a = rawEntry({ name: 'a' });
    await expect(read(Buffer.concat([a, Buffer.alloc(512), a]))).rejects.toMatchObject(refused);
    expect(await read(Buffer.concat([a, endMarker, Buffer.from('rubbish')]))).toHaveLength(1);
  });

  it('refuses hostile sparse maps', async () => {
    const sparse = (map: string, size = '1000'): Buffer => {
      const numbers = map.split(',').length;
      return rawTar(
        rawPax([
          ['GNU.sparse.size', size],
          ['GNU.sparse.numblocks', String(numbers / 2)],
          ['GNU.sparse.map', map],
        ]),
        rawEntry({ name: 's' }, 'x'.repeat(10)),
      );
    };
    expect((await only(sparse('5,10'))).content.toString('latin1')).toBe(
      `${'\0'.repeat(5)}${'x'.repeat(10)}${'\0'.repeat(985)}`,
    );
    for (const map of ['5,11', '995,10', '10,5,0,5', '0,6,5,4', '5', '-5,10', '5,10,', 'a,b', '0,9007199254740993']) {
      await expect(read(sparse(map)), map).rejects.toMatchObject(refused);
    }
    await expect(
      read(
        rawTar(
          rawPax([
            ['GNU.sparse.major', '2'],
            ['GNU.sparse.minor', '0'],
          ]),
          rawEntry({}),
        ),
      ),
    ).rejects.toMatchObject(refused);
    const map = padded(`${'9'.repeat(30)}\n`);
    const inData = rawPax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.realsize', '5'],
    ]);
    await expect(read(rawTar(inData, rawEntry({}, map)))).rejects.toMatchObject(refused);
    await expect(read(rawTar(inData, rawEntry({}, '')))).rejects.toMatchObject(refused);
  });

  it('gives the same entries however the bytes are cut', async () => {
    const tar = rawTar(
      rawPax([['path', 'long/'.repeat(50)]]),
      rawEntry({ name: 'a' }, 'x'.repeat(1300)),
      rawEntry({ name: '././@LongLink', type: 'L', magic: 'ustar  \0' }, `${'n'.repeat(600)}\0`),
      rawEntry({ name: 'b', magic: 'ustar  \0' }, 'y'.repeat(512)),
      rawEntry({ name: 'c', type: '5' }),
    );
    const whole = await read(tar);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 8 }), async sizes => {
        expect(await read(tar, sizes)).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('never fails in another way, whatever the bytes', async () => {
    const base = rawTar(
      rawPax([
        ['path', 'pa'],
        ['SCHILY.xattr.a', 'b'],
      ]),
      rawEntry({ name: 'a' }, 'content'),
      rawEntry({ name: 'l', type: '2', link: 'a' }),
    );
    const mutation = fc.tuple(fc.nat(base.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { maxLength: 12 }), fc.nat(base.length), async (mutations, length) => {
        const bytes = Buffer.from(base);
        for (const [at, value] of mutations) bytes[at] = value;
        // With a right checksum the fields themselves are looked at.
        for (const at of [0, 1024, 2048]) {
          bytes.fill(0x20, at + 148, at + 156);
          const sum = bytes.subarray(at, at + 512).reduce((a, b) => a + b, 0);
          bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
        }
        try {
          await read(bytes.subarray(0, length));
        } catch (error) {
          expect(error).toMatchObject(refused);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('skips content that is not read and closes the source when it is left', async () => {
    const tar = rawTar(
      rawEntry({ name: 'a' }, 'x'.repeat(5000)),
      rawEntry({ name: 'b' }, 'y'.repeat(5000)),
      rawEntry({ name: 'c' }),
    );
    const names: string[] = [];
    for await (const item of readTar(chunked(tar, [100]))) {
      names.push(item.path);
      if (item.path === 'b') await item.content.next();
    }
    expect(names).toEqual(['a', 'b', 'c']);
    let closed = false;
    const source = (async function* () {
      try {
        yield* chunked(tar, [100]);
      } finally {
        closed = true;
      }
    })();
    for await (const item of readTar(source)) if (item.path === 'a') break;
    expect(closed).toBe(true);
  });

  it('can be aborted', async () => {
    const tar = rawTar(rawEntry({ name: 'a' }, 'x'.repeat(5000)));
    const controller = new AbortController();
    const items = readTar(chunked(tar, [512]), { signal: controller.signal });
    await items.next();
    controller.abort(new Error('enough'));
    await expect(items.next()).rejects.toThrow('enough');
  });
});
