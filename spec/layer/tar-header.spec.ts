import fc from 'fast-check';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { type PreparedHeader, prepareHeader, type TarHeaderFields, writeHeader } from '../../src/layer/tar-header.js';
import { readTar, type TarItem } from '../../src/layer/tar-reader.js';
import { encodePath } from '../../src/tree/path.js';
import { chunked, endMarker } from './raw-tar.js';

const plain: TarHeaderFields = { type: 'file', path: 'a', mode: 0o644, uid: 0, gid: 0, mtime: 0 };

function bytesOf(fields: TarHeaderFields): Buffer {
  const header: PreparedHeader = prepareHeader(fields);
  const buffer = Buffer.alloc(header.size + 16, 0xff);
  writeHeader(header, buffer, 7);
  expect(buffer.subarray(0, 7).every(byte => byte === 0xff)).toBe(true);
  expect(buffer.subarray(header.size + 7).every(byte => byte === 0xff)).toBe(true);
  return buffer.subarray(7, 7 + header.size);
}

async function ours(bytes: Uint8Array): Promise<TarItem> {
  for await (const item of readTar(chunked(Buffer.concat([bytes, endMarker])))) return item;
  throw new Error('no entry');
}

interface TheirHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: Date;
  readonly linkname: string | null;
  /** Of the records it takes over only names and the size. */
  readonly pax: Readonly<Record<string, string>> | null;
}

function theirs(bytes: Uint8Array): Promise<TheirHeader> {
  return new Promise((resolve, reject) => {
    const reader = extract();
    reader.on('entry', header => {
      resolve(header as unknown as TheirHeader);
      reader.destroy();
    });
    reader.on('error', reject);
    reader.write(bytes);
  });
}

describe('tar headers', () => {
  it('are one plain block where ustar can say it', () => {
    const bytes = bytesOf({
      ...plain,
      path: 'dir/file',
      size: 5,
      mode: 0o4755,
      uid: 1000,
      gid: 2000,
      mtime: 946684800,
    });
    expect(bytes.length).toBe(512);
    expect(bytes.toString('latin1', 0, 9)).toBe('dir/file\0');
    expect(bytes.toString('latin1', 100, 148)).toBe('0004755\x000001750\x000003720\x0000000000005\x0007033241600\0');
    expect(bytes.toString('latin1', 156, 157)).toBe('0');
    expect(bytes.toString('latin1', 257, 265)).toBe('ustar\x0000');
    // No names of users or groups: numbers mean the same everywhere.
    expect(bytes.subarray(265, 329).every(byte => byte === 0)).toBe(true);
  });

  it('end the names of folders in a slash', () => {
    expect(bytesOf({ ...plain, type: 'directory', path: 'a/b' }).toString('latin1', 0, 5)).toBe('a/b/\0');
  });

  it('use PAX records from the first byte that does not fit', () => {
    expect(bytesOf({ ...plain, path: 'x'.repeat(100) }).length).toBe(512);
    expect(bytesOf({ ...plain, path: 'x'.repeat(101) }).length).toBe(1536);
    expect(bytesOf({ ...plain, size: 8 ** 11 - 1 }).length).toBe(512);
    expect(bytesOf({ ...plain, size: 8 ** 11 }).length).toBe(1536);
    expect(bytesOf({ ...plain, uid: 8 ** 7 - 1 }).length).toBe(512);
    expect(bytesOf({ ...plain, uid: 8 ** 7 }).length).toBe(1536);
    expect(bytesOf({ ...plain, mtime: -1 }).length).toBe(1536);
    expect(bytesOf({ ...plain, path: 'ä' }).length).toBe(1536);
  });

  it('write PAX headers as BuildKit has them', () => {
    const xattrs = { 'user.b': '2', 'user.a': '1' };
    const bytes = bytesOf({ ...plain, type: 'directory', path: 'deep/éé', xattrs });
    expect(bytes.toString('latin1', 0, 19)).toBe('deep//PaxHeaders.0\0');
    expect(bytes.toString('utf8', 512, 1024).replace(/\0+$/, '')).toBe(
      '25 SCHILY.xattr.user.a=1\n25 SCHILY.xattr.user.b=2\n19 path=deep/éé/\n',
    );
    expect(bytes.toString('latin1', 1024, 1031)).toBe('deep//\0');
  });

  it('hold sizes past 8 GiB', async () => {
    const bytes = bytesOf({ ...plain, size: 9 * 2 ** 30 });
    expect((await theirs(bytes)).size).toBe(9 * 2 ** 30);
    const items = readTar(chunked(bytes));
    expect((await items.next()).value).toMatchObject({ size: 9 * 2 ** 30, dataOffset: bytes.length });
  });

  it('hold attributes of any bytes', async () => {
    const value = Buffer.from([0, 1, 10, 61, 255, 0]).toString('latin1');
    const item = await ours(bytesOf({ ...plain, xattrs: { 'security.capability': value, __proto__: 'x' } }));
    expect(item.xattrs?.['security.capability']).toBe(value);
  });

  it('refuse what no reader would take back', () => {
    expect(() => prepareHeader({ ...plain, path: 'x/'.repeat(3000) })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARCHIVE' }),
    );
    expect(() => prepareHeader({ ...plain, path: 'a\0b' })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARCHIVE' }),
    );
    expect(() => prepareHeader({ ...plain, xattrs: { 'a=b': 'c' } })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARCHIVE' }),
    );
    expect(() => prepareHeader({ ...plain, xattrs: { a: 'c'.repeat(2 ** 20) } })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARCHIVE' }),
    );
  });

  const name = fc.oneof(
    fc.stringMatching(/^[a-z0-9._ -]{1,60}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    // Bytes that are not UTF-8, and newlines.
    fc
      .array(fc.constantFrom('a', '\n', '\udcff', '\udc80', 'é', '😀', '='), { minLength: 1, maxLength: 40 })
      .map(x => x.join('')),
  );
  const path = fc
    .array(name, { minLength: 1, maxLength: 6 })
    .map(names =>
      names
        .join('/')
        .replace(/[\0]/g, '_')
        .replace(/\/+/g, '/')
        .replace(/^\/|\/$/g, ''),
    )
    .filter(text => text !== '' && !/[\ud800-\udbff](?![\udc00-\udfff])/.test(text));
  const header = fc.record({
    type: fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'fifo', 'character', 'block'),
    path,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.oneof(fc.nat(70000), fc.nat(0xffff_fffe)),
    gid: fc.nat(0xffff_fffe),
    mtime: fc.oneof(fc.nat(2 ** 31), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
    target: path,
    major: fc.nat(4095),
    minor: fc.nat(2 ** 20),
  });

  it('are read back as they were meant, by us and by tar-stream', async () => {
    await fc.assert(
      fc.asyncProperty(header, async ({ type, target, major, minor, ...rest }) => {
        const link = type === 'symlink' || type === 'hardlink' ? { linkTarget: target } : {};
        const device = type === 'character' || type === 'block' ? { major, minor } : {};
        const fields = { type, ...rest, ...link, ...device } as TarHeaderFields;
        const bytes = bytesOf(fields);
        const item = await ours(bytes);
        const { uid, gid, mode, mtime } = rest;
        expect(item).toMatchObject({ type, uid, gid, mode, mtime, linkTarget: fields.linkTarget ?? '', size: 0 });
        expect(item.path).toBe(type === 'directory' ? `${rest.path}/` : rest.path);
        expect([item.devMajor, item.devMinor]).toEqual([fields.major ?? 0, fields.minor ?? 0]);
        const other = await theirs(bytes);
        // It decodes names as UTF-8 with replacement, and takes the slash from folders.
        const lossy = encodePath(rest.path).toString('utf8');
        expect(other.name.replace(/\/$/, '')).toBe(lossy);
        expect(other.mode).toBe(mode);
        expect(Number(other.pax?.['uid'] ?? other.uid)).toBe(uid);
        expect(Number(other.pax?.['gid'] ?? other.gid)).toBe(gid);
        expect(Number(other.pax?.['mtime'] ?? other.mtime.getTime() / 1000)).toBe(mtime);
        if (fields.linkTarget !== undefined) {
          expect(other.linkname).toBe(encodePath(fields.linkTarget).toString('utf8'));
        }
      }),
      { numRuns: 300 },
    );
  });
});
