import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexLayer } from '../../src/layer/index-layer.js';
import { digestOf } from '../../src/oci/digest.js';
import type { IndexEntry } from '../../src/tree/layer-index.js';
import { chunked, type RawHeader, rawEntry, rawPax, rawTar } from './raw-tar.js';

const entriesOf = async (tar: Uint8Array): Promise<readonly IndexEntry[]> => (await indexLayer(chunked(tar))).entries;
const entryOf = async (header: RawHeader, content = ''): Promise<IndexEntry | undefined> =>
  (await entriesOf(rawTar(rawEntry(header, content))))[0];
const refused = { code: 'INVALID_ARCHIVE' };

describe('indexLayer', () => {
  it('knows the empty layer', async () => {
    const index = await indexLayer(chunked(Buffer.alloc(1024)));
    expect(index).toEqual({
      diffId: 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
      size: 1024,
      entries: [],
    });
  });

  it('lists entries with digests and offsets', async () => {
    const meta = { mode: 0o640, uid: 1, gid: 2, mtime: 3 };
    const tar = rawTar(
      rawEntry({ name: 'd/', type: '5', ...meta }),
      rawEntry({ name: 'd/f', ...meta }, 'hello'),
      rawEntry({ name: 'empty', ...meta }),
      rawEntry({ name: 'l', type: '2', link: '../x', ...meta }),
      rawEntry({ name: 'h', type: '1', link: './d//f', ...meta }),
      rawEntry({ name: 'c', type: '3', major: 1, minor: 3, ...meta }),
      rawEntry({ name: 'b', type: '4', major: 8, minor: 0, ...meta }),
      rawEntry({ name: 'p', type: '6', ...meta }),
    );
    const index = await indexLayer(chunked(tar));
    expect(index.diffId).toBe(digestOf(tar));
    expect(index.size).toBe(tar.length);
    expect(index.entries).toEqual([
      { type: 'directory', path: 'd', ...meta },
      { type: 'file', path: 'd/f', ...meta, size: 5, digest: digestOf('hello'), offset: 1024 },
      { type: 'file', path: 'empty', ...meta, size: 0, digest: digestOf(''), offset: 2048 },
      { type: 'symlink', path: 'l', ...meta, target: '../x' },
      { type: 'hardlink', path: 'h', target: 'd/f' },
      { type: 'character', path: 'c', ...meta, major: 1, minor: 3 },
      { type: 'block', path: 'b', ...meta, major: 8, minor: 0 },
      { type: 'fifo', path: 'p', ...meta },
    ]);
  });

  it.each([
    ['../../etc/passwd', 'etc/passwd'],
    ['/etc/passwd', 'etc/passwd'],
    ['./a/./b', 'a/b'],
    ['a/../../b', 'b'],
    ['a//b/', 'a/b'],
  ])('keeps %s in the root', async (name, path) => {
    expect(await entryOf({ name })).toMatchObject({ path });
  });

  it.each(['.', './', '/', '..', 'a/..', ''])('passes over the root itself, named %j', async name => {
    expect(await entriesOf(rawTar(rawEntry({ name, type: '5', mode: 0 })))).toEqual([]);
    expect(await entriesOf(rawTar(rawEntry({ name, type: '2', link: '/elsewhere' })))).toEqual([]);
  });

  it('keeps the targets of hard links in the root', async () => {
    expect(await entryOf({ name: 'h', type: '1', link: '../../etc/shadow' })).toMatchObject({ target: 'etc/shadow' });
    expect(await entryOf({ name: 'h', type: '1', link: '/etc/shadow' })).toMatchObject({ target: 'etc/shadow' });
    await expect(entryOf({ name: 'h', type: '1', link: '..' })).rejects.toMatchObject(refused);
  });

  it('knows whiteouts by their names', async () => {
    expect(await entryOf({ name: 'a/.wh.b' })).toEqual({ type: 'whiteout', path: 'a/b' });
    expect(await entryOf({ name: '.wh.b', type: '5' })).toEqual({ type: 'whiteout', path: 'b' });
    expect(await entryOf({ name: 'a/.wh..wh..opq' })).toEqual({ type: 'opaque', path: 'a' });
    expect(await entryOf({ name: './.wh..wh..opq' })).toEqual({ type: 'opaque', path: '' });
    expect(await entryOf({ name: 'a/.wh..wh.plnk' })).toEqual({ type: 'whiteout', path: 'a/.wh.plnk' });
    expect(await entryOf({ name: 'a.wh.b' })).toMatchObject({ type: 'file', path: 'a.wh.b' });
    expect(await entryOf({ name: 'a/.WH.b' })).toMatchObject({ type: 'file' });
  });

  it.each(['.wh.', 'a/.wh.', '.wh..', 'a/.wh..', '.wh...', 'a/.wh...'])('refuses the whiteout %s', async name => {
    await expect(entryOf({ name })).rejects.toMatchObject(refused);
  });

  it('drops attributes that steer the kernel', async () => {
    const tar = rawTar(
      rawPax([['SCHILY.xattr.trusted.overlay.opaque', 'y']]),
      rawEntry({ name: 'a', type: '5' }),
      rawPax([
        ['SCHILY.xattr.user.b', '\u00e9'],
        ['SCHILY.xattr.trusted.x', 'y'],
      ]),
      rawEntry({ name: 'b', type: '5' }),
    );
    const [a, b] = await entriesOf(tar);
    expect(a).not.toHaveProperty('xattrs');
    expect(b).toMatchObject({ xattrs: { 'user.b': '\u00c3\u00a9' } });
  });

  it('refuses sparse files rather than read them wrongly', async () => {
    const records = rawPax([
      ['GNU.sparse.size', '9'],
      ['GNU.sparse.numblocks', '1'],
      ['GNU.sparse.map', '5,4'],
    ]);
    await expect(entriesOf(rawTar(records, rawEntry({ name: 's' }, 'data')))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  });

  it('caps the number of entries', async () => {
    const tar = rawTar(rawEntry({ name: 'a' }), rawEntry({ name: 'b' }));
    await expect(indexLayer(chunked(tar), { limits: { entries: 1 } })).rejects.toMatchObject(refused);
  });

  it('hashes bytes behind the end marker too', async () => {
    const tar = Buffer.concat([rawTar(rawEntry({ name: 'a' })), Buffer.from('behind')]);
    expect(await indexLayer(chunked(tar, [100]))).toMatchObject({ diffId: digestOf(tar), size: tar.length });
  });

  it('gives the same index however the bytes are cut', async () => {
    const content = createHash('sha512').update('x').digest('hex').repeat(20);
    const tar = rawTar(rawEntry({ name: 'a' }, content), rawEntry({ name: 'b' }), rawEntry({ name: 'c' }, 'short'));
    const whole = await indexLayer(chunked(tar));
    const sizes = fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sizes, async cuts => {
        expect(await indexLayer(chunked(tar, cuts))).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it('can be aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(indexLayer(chunked(Buffer.alloc(1024)), { signal })).rejects.toThrow('enough');
  });
});
