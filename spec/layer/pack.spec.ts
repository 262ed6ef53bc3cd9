import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { contentReader } from '../../src/layer/content-reader.js';
import type { LayerEntry } from '../../src/layer/entry.js';
import { indexLayer } from '../../src/layer/index-layer.js';
import { packLayer } from '../../src/layer/pack.js';
import { unplanned } from '../../src/layer/plan-layer.js';
import { type Digest, digestOf } from '../../src/oci/digest.js';
import type { LayerRef } from '../../src/tree/node.js';
import { encodePath } from '../../src/tree/path.js';
import {
  fileEntry,
  folderEntry,
  hostEntries,
  hostEntry,
  inThisThread,
  memorySink,
  noLayers,
  openFiles,
  owner,
  packed,
  symlinkEntry,
  tempDir,
} from './layer-files.js';
import { chunked } from './raw-tar.js';

const MiB = 1024 * 1024;
/** Bytes that do not compress and are the same each time. */
function noise(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const variety: LayerEntry[] = [
  folderEntry('bin', 0o1777),
  fileEntry('bin/tool', '#!/bin/sh\n', { mode: 0o4755, uid: 7, gid: 8 }),
  { path: 'bin/again', hardlink: 'bin/tool' },
  { path: 'bin/and-again', hardlink: 'bin/again' },
  symlinkEntry('bin/link', '../etc/hosts'),
  symlinkEntry('bin/longlink', `${'t'.repeat(60)}/${'u'.repeat(60)}`),
  { path: 'dev-null', node: { type: 'character', mode: 0o666, ...owner, major: 1, minor: 3 } },
  { path: 'disk', node: { type: 'block', mode: 0o660, ...owner, major: 259, minor: 70000 } },
  fileEntry('empty', ''),
  { path: 'gone', whiteout: true },
  { path: 'pipe', node: { type: 'fifo', mode: 0o600, ...owner } },
  fileEntry('new\nline', 'n'),
  fileEntry('old', 'o', { mtime: -5 }),
  fileEntry('raw\udcff\udc80', 'r'),
  fileEntry('ünï', 'u', { uid: 3_000_000 }),
  fileEntry('caps', 'c', { xattrs: { 'security.capability': '\x01\x00\x00\x02\xff', 'user.note': 'x=y\n' } }),
  fileEntry(`${'d'.repeat(90)}/${'e'.repeat(90)}`, 'long'),
];

interface TheirEntry {
  readonly name: string;
  readonly pax: Readonly<Record<string, string>> | null;
  readonly content: Buffer;
}

function tarStreamEntries(tar: Uint8Array): Promise<TheirEntry[]> {
  return new Promise((resolve, reject) => {
    const entries: TheirEntry[] = [];
    const reader = extract();
    reader.on('entry', (header, stream, next) => {
      const pieces: Buffer[] = [];
      stream.on('data', piece => pieces.push(piece as Buffer));
      stream.on('end', () => {
        entries.push({ ...(header as unknown as TheirEntry), content: Buffer.concat(pieces) });
        next();
      });
    });
    reader.on('finish', () => resolve(entries));
    reader.on('error', reject);
    reader.end(tar);
  });
}

describe('packLayer', () => {
  it('writes the empty layer as everyone does', async () => {
    const { diffId, bytes, index, blob } = await packed([]);
    expect(diffId).toBe('sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef');
    expect(gunzipSync(bytes)).toEqual(Buffer.alloc(1024));
    expect(index).toMatchObject({ size: 1024, entries: [], segments: [{ offset: 0, blobOffset: 10 }] });
    expect(blob).toEqual({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: digestOf(bytes),
      size: bytes.length,
    });
  });

  it('returns the index that reading the layer gives', async () => {
    const { bytes, index, diffId } = await packed(variety);
    const tar = gunzipSync(bytes);
    const { segments, ...rest } = index;
    expect(await indexLayer(chunked(tar))).toEqual(rest);
    expect(diffId).toBe(digestOf(tar));
    expect(tar.length % 512).toBe(0);
  });

  it('is read by tar-stream', async () => {
    const { bytes } = await packed(variety, { compression: 'none' });
    const entries = await tarStreamEntries(bytes);
    expect(entries.map(entry => entry.name.replace(/\/$/, ''))).toEqual(
      variety.map(entry => encodePath('whiteout' in entry ? `.wh.${entry.path}` : entry.path).toString('utf8')),
    );
    const by = (name: string): TheirEntry => entries.find(entry => entry.name === name)!;
    expect(by('bin/tool')).toMatchObject({ mode: 0o4755, uid: 7, gid: 8, uname: '', gname: '' });
    expect(by('bin/tool').content.toString()).toBe('#!/bin/sh\n');
    // Readers set the metadata of a link's file again from the link.
    expect(by('bin/again')).toMatchObject({
      type: 'link',
      linkname: 'bin/tool',
      mode: 0o4755,
      uid: 7,
      gid: 8,
      size: 0,
    });
    expect(by('disk')).toMatchObject({ type: 'block-device', devmajor: 259, devminor: 70000 });
    expect(by('.wh.gone')).toMatchObject({ mode: 0, size: 0, mtime: new Date(0) });
    expect(by('caps').pax).toMatchObject({ 'SCHILY.xattr.user.note': 'x=y\n' });
  });

  it('is read by GNU tar and gzip', async () => {
    const folder = tempDir();
    const blob = join(folder, 'layer.tar.gz');
    const { bytes } = await packed(variety.filter(entry => !['disk', 'dev-null'].includes(entry.path)));
    writeFileSync(blob, bytes);
    execFileSync('gzip', ['-t', blob]);
    const options = {
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      encoding: 'latin1' as const,
      stdio: 'pipe' as const,
    };
    const listing = execFileSync('tar', ['-tvzf', blob, '--numeric-owner', '--full-time'], options);
    expect(listing).toContain('-rwsr-xr-x 7/8              10 2000-01-01 00:00:00 bin/tool\n');
    expect(listing).toContain('hrwsr-xr-x 7/8               0 2000-01-01 00:00:00 bin/again link to bin/tool\n');
    expect(listing).toContain('-rw-r--r-- 0/0               1 1969-12-31 23:59:55 old\n');
    expect(listing).toContain('3000000/0');
    expect(listing).toContain('raw\\377\\200\n');
    expect(listing).toContain('new\\nline\n');
    mkdirSync(join(folder, 'out'));
    execFileSync('tar', ['-xzf', blob, '-C', join(folder, 'out'), '--no-same-owner'], options);
    expect(readFileSync(join(folder, 'out', 'ünï'), 'utf8')).toBe('u');
    expect(readFileSync(Buffer.concat([Buffer.from(join(folder, 'out/raw')), Buffer.from([255, 128])]), 'utf8')).toBe(
      'r',
    );
    expect(readFileSync(join(folder, 'out', `${'d'.repeat(90)}/${'e'.repeat(90)}`), 'utf8')).toBe('long');
  });

  it('takes the same bytes from host, memory, other layers and blobs', async () => {
    const folder = tempDir();
    const contents = [noise(3 * MiB + 17), noise(100), noise(MiB, 3), Buffer.alloc(0), noise(MiB + 1, 9)];
    const layer: LayerRef = {
      diffId: digestOf('layer'),
      blob: { mediaType: 'x', digest: digestOf('blob'), size: 1 },
    };
    const whole = Buffer.concat(contents);
    const fromMemory = contents.map((bytes, i) => fileEntry(`f${i}`, bytes));
    const fromHost = contents.map((bytes, i) => {
      writeFileSync(join(folder, `f${i}`), bytes, { mode: 0o644 });
      chmodSync(join(folder, `f${i}`), 0o644);
      return hostEntry(`f${i}`, join(folder, `f${i}`));
    });
    let offset = 0;
    const fromLayer = contents.map((bytes, i) => {
      const entry = fileEntry(`f${i}`, bytes, { content: { kind: 'layer', layer, offset }, digest: digestOf(bytes) });
      offset += bytes.length;
      return entry;
    });
    const fromBlobs = contents.map((bytes, i) => {
      const blob = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };
      return fileEntry(`f${i}`, bytes, { content: { kind: 'blob', blob, offset: 0 }, digest: blob.digest });
    });
    const memory = await packed(fromMemory);
    const stream = (bytes: Buffer) => Readable.from(chunked(bytes, [100_000]), { objectMode: false });
    const read = contentReader({
      openRange: async (_, start, length) => stream(whole.subarray(start, start + length)),
      openPart: async ({ digest }, start, length) =>
        stream(contents.find(bytes => digestOf(bytes) === digest)!.subarray(start, start + length)),
    });
    expect((await packed(fromHost)).blob).toEqual(memory.blob);
    expect((await packed(fromLayer, { read })).blob).toEqual(memory.blob);
    expect((await packed(fromBlobs, { read })).blob).toEqual(memory.blob);
    const { segments, ...rest } = memory.index;
    expect(await indexLayer(chunked(gunzipSync(memory.bytes)))).toEqual(rest);
    expect(segments!.length).toBeGreaterThan(4);
    expect(openFiles().filter(path => path.startsWith(folder))).toEqual([]);
  });

  it('gives the same bytes however many segments are in flight', async () => {
    const entries = Array.from({ length: 60 }, (_, i) => fileEntry(`dir/${i}`, noise(i * 4000, i)));
    const first = await packed(entries, { concurrency: 1 });
    for (const concurrency of [2, 3, 16]) expect((await packed(entries, { concurrency })).blob).toEqual(first.blob);
    expect((await packed(entries, { level: 1 })).diffId).toBe(first.diffId);
    expect((await packed(entries, { compression: 'none' })).diffId).toBe(first.diffId);
  });

  it('reports progress in uncompressed bytes', async () => {
    const seen: number[] = [];
    const { index } = await packed([fileEntry('big', noise(3 * MiB))], { onProgress: bytes => seen.push(bytes) });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(index.size);
  });

  it('passes over the root and refuses names that mean removal', async () => {
    expect((await packed([folderEntry('')])).index.entries).toEqual([]);
    for (const path of ['.wh.a', 'a/.wh.b', 'a/.wh..wh..opq', '.wh.d/e']) {
      await expect(packed([fileEntry(path, '')])).rejects.toMatchObject({ code: 'PATH_INVALID' });
    }
    expect((await packed([fileEntry('a.wh.b', '')])).index.entries).toHaveLength(1);
  });

  it('wants metadata for links to files of lower layers', async () => {
    await expect(packed([{ path: 'a', hardlink: 'below' }])).rejects.toThrow('metadata');
    const metadata = { mode: 0o600, ...owner, uid: 5 };
    const { bytes } = await packed([{ path: 'a', hardlink: 'below', metadata }], { compression: 'none' });
    expect((await tarStreamEntries(bytes))[0]).toMatchObject({ type: 'link', linkname: 'below', mode: 0o600, uid: 5 });
  });

  it('refuses levels that do not exist, and zstd where Node has none', async () => {
    await expect(packed([], { level: 10 })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(packed([], { level: 1.5 })).rejects.toMatchObject({ code: 'USAGE' });
    const zlib = (await import('node:zlib')) as { zstdCompress?: unknown };
    if (zlib.zstdCompress === undefined) {
      await expect(packed([], { compression: 'zstd' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    } else {
      expect((await packed(variety, { compression: 'zstd' })).diffId).toBe((await packed(variety)).diffId);
    }
  });

  it.each([0, 1, 9])('is one gzip member at level %i', async level => {
    const content = Buffer.concat([noise(2 * MiB), Buffer.alloc(2 * MiB, 'a')]);
    const { bytes, diffId } = await packed([fileEntry('f', content)], { level });
    expect(digestOf(gunzipSync(bytes))).toBe(diffId);
    expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    // Were there more members, the first one's trailer would not give the whole length.
    expect(bytes.readUInt32LE(bytes.length - 4)).toBe(gunzipSync(bytes).length);
  });

  it('agrees with its own reader for any entries', async () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9é\udcff ]{1,30}$/);
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map(names => names.join('/'));
    const size = fc.oneof(fc.nat(3000), fc.constantFrom(0, 511, 512, 513, MiB - 1, MiB, MiB + 1, 2 * MiB));
    const entry = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.tuple(path, size, fc.nat(0o7777)).map(([p, s, mode]) => fileEntry(p, noise(s, s), { mode })),
      },
      path.map(p => folderEntry(p)),
      fc.tuple(path, path).map(([p, target]) => symlinkEntry(p, target)),
      path.map((p): LayerEntry => ({ path: p, whiteout: true })),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (entries, concurrency) => {
          const { bytes, index } = await packed(entries, { level: 1, concurrency });
          const { segments, ...rest } = index;
          const tar = gunzipSync(bytes);
          expect(await indexLayer(chunked(tar, [65536]))).toEqual(rest);
          for (const item of index.entries) {
            if (item.type !== 'file') continue;
            expect(digestOf(tar.subarray(item.offset, item.offset + item.size))).toBe(item.digest);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('packLayer, when something is wrong', () => {
  it.each<[string, (path: string) => void]>([
    ['grows', path => appendFileSync(path, 'more')],
    ['shrinks', path => truncateSync(path, 10)],
    ['vanishes', path => rmSync(path)],
    [
      'becomes a folder',
      path => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    [
      'becomes a pipe',
      path => {
        rmSync(path);
        execFileSync('mkfifo', [path]);
      },
    ],
    ['is touched', path => utimesSync(path, 1, 1)],
    ['gets another mode', path => chmodSync(path, 0o600)],
    [
      'is replaced by a like one',
      path => {
        writeFileSync(`${path}2`, readFileSync(path));
        renameSync(`${path}2`, path);
      },
    ],
  ])('notices a file that %s', async (_what, change) => {
    for (const size of [1000, 3 * MiB]) {
      const folder = tempDir();
      const path = join(folder, 'f');
      writeFileSync(path, noise(size), { mode: 0o644 });
      const entry = hostEntry('f', path);
      change(path);
      await expect(packed([entry])).rejects.toMatchObject({ code: 'FILE_CHANGED', details: { path } });
      expect(openFiles().filter(open => open.startsWith(folder))).toEqual([]);
    }
  });

  it('notices a large file that changes while it is read', async () => {
    const path = join(tempDir(), 'f');
    writeFileSync(path, noise(6 * MiB));
    const entry = hostEntry('f', path);
    let changed = false;
    const write = (): void => {
      if (!changed) appendFileSync(path, 'x');
      changed = true;
    };
    const result = packLayer(
      unplanned([entry]),
      { write },
      { read: noLayers, crew: inThisThread, compression: 'none', concurrency: 1 },
    );
    await expect(result).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(openFiles()).not.toContain(path);
  });

  it('notices content that is not what its digest says', async () => {
    const path = join(tempDir(), 'f');
    writeFileSync(path, 'content');
    const { node } = hostEntry('f', path);
    const lie = { ...node, digest: digestOf('other') };
    await expect(packed([{ path: 'f', node: lie }])).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    const layer: LayerRef = { diffId: digestOf('l'), blob: { mediaType: '', digest: digestOf('b'), size: 0 } };
    const inLayer = fileEntry('f', 'content', {
      content: { kind: 'layer', layer, offset: 0 },
      digest: digestOf('other') as Digest,
    });
    const reading =
      (text: string): typeof noLayers =>
      async () =>
        Readable.from([Buffer.from(text)]);
    await expect(packed([inLayer], { read: reading('content') })).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    for (const text of ['conten', 'contents']) {
      await expect(packed([inLayer], { read: reading(text) })).rejects.toMatchObject({ code: 'CORRUPT_STREAM' });
    }
  });

  it('fails with the error of the sink and leaves nothing open', async () => {
    const path = join(tempDir(), 'f');
    writeFileSync(path, noise(8 * MiB));
    for (const failAt of [0, 1, 3]) {
      let count = 0;
      const write = async (): Promise<void> => {
        if (count++ === failAt) throw new Error('disk full');
      };
      const result = packLayer(
        unplanned([hostEntry('f', path)]),
        { write },
        { read: noLayers, crew: inThisThread, level: 1, concurrency: 2 },
      );
      await expect(result).rejects.toThrow('disk full');
      expect(openFiles()).not.toContain(path);
    }
  });

  it('fails with the error of another layer', async () => {
    const layer: LayerRef = { diffId: digestOf('l'), blob: { mediaType: '', digest: digestOf('b'), size: 0 } };
    const entry = fileEntry('f', noise(3 * MiB), { content: { kind: 'layer', layer, offset: 0 } });
    await expect(packed([entry])).rejects.toThrow('no layer is read here');
    let destroyed = false;
    const stream = Readable.from(
      (async function* () {
        yield noise(MiB);
        throw new Error('broken');
      })(),
    ).once('close', () => {
      destroyed = true;
    });
    await expect(packed([entry], { read: async () => stream })).rejects.toThrow('broken');
    expect(destroyed).toBe(true);
  });

  it('can be aborted in the middle', async () => {
    const folder = tempDir();
    for (let i = 0; i < 8; i++) writeFileSync(join(folder, `f${i}`), noise(3 * MiB, i));
    const controller = new AbortController();
    const sink = memorySink();
    const onProgress = (): void => controller.abort(new Error('enough'));
    const options = {
      read: noLayers,
      crew: inThisThread,
      level: 1,
      concurrency: 2,
      onProgress,
      signal: controller.signal,
    };
    await expect(packLayer(unplanned(hostEntries(folder)), sink, options)).rejects.toThrow('enough');
    const written = sink.bytes().length;
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(sink.bytes().length).toBe(written);
    expect(openFiles().filter(path => path.startsWith(folder))).toEqual([]);
    const aborted = { read: noLayers, crew: inThisThread, signal: AbortSignal.abort(new Error('before')) };
    await expect(packLayer(unplanned([]), memorySink(), aborted)).rejects.toThrow('before');
  });
});
