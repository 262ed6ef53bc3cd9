import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyImage } from '../../src/content/copy.js';
import { validateImage } from '../../src/image/validate.js';
import { digestHex, digestOf } from '../../src/oci/digest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import { type ImageLayout, openLayout } from '../../src/store/layout.js';
import { type Rereadable, rereadable } from '../../src/stream/rereadable.js';
import { chunksOf, codeOf, describeBytes, readAll } from '../support/content-suite.js';
import { MemoryContent } from '../support/memory-content.js';
import { type RandomImage, randomImage, randomIndex } from '../support/random-image.js';
import { tempDir } from '../support/temp-dir.js';

async function layoutWith(...names: string[]): Promise<{ layout: ImageLayout; root: string; images: RandomImage[] }> {
  const root = join(await tempDir(), 'a', 'layout');
  const layout = openLayout(root);
  const memory = new MemoryContent();
  const images: RandomImage[] = [];
  for (const [seed, name] of names.entries()) {
    const image = await randomImage(memory, seed + 1);
    await copyImage(memory, image.descriptor, layout, { name });
    images.push(image);
  }
  return { layout, root, images };
}

const indexOf = async (root: string) => JSON.parse(await readFile(join(root, 'index.json'), 'utf8'));

describe('ImageLayout', () => {
  it('is what the specification says, and nothing else', async () => {
    const { root, images } = await layoutWith('v1');
    expect((await readdir(root)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect(JSON.parse(await readFile(join(root, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(await indexOf(root)).toEqual({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [{ ...images[0]!.descriptor, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }],
    });
    expect((await readdir(join(root, 'blobs', 'sha256'))).sort()).toEqual(
      [images[0]!.descriptor, images[0]!.config, ...images[0]!.layers.map(({ blob }) => blob)]
        .map(({ digest }) => digestHex(digest))
        .sort(),
    );
  });

  it('lists its images', async () => {
    const { layout, images } = await layoutWith('v1', 'v2');
    await layout.keep(images[0]!.descriptor);
    const refs = await layout.refs();
    expect(refs.map(({ name, descriptor }) => [name, descriptor.digest])).toEqual([
      ['v1', images[0]!.descriptor.digest],
      ['v2', images[1]!.descriptor.digest],
    ]);
  });

  it('resolves names, digests, manifests inside an index, and the only image', async () => {
    const { layout, images } = await layoutWith('v1');
    expect(await layout.resolve('')).toEqual(images[0]!.descriptor);
    expect(await layout.resolve(images[0]!.descriptor.digest)).toEqual(images[0]!.descriptor);
    const memory = new MemoryContent();
    const platform = { os: 'linux', architecture: 'amd64' };
    const index = await randomIndex(memory, 9, [platform]);
    await copyImage(memory, index.descriptor, layout, { name: 'multi' });
    expect(await layout.resolve('multi')).toEqual(index.descriptor);
    const inside = index.images[0]!.descriptor;
    expect(await layout.resolve(inside.digest)).toEqual({ ...inside, platform });
    expect(await codeOf(layout.resolve(''))).toBe('REFERENCE_NOT_FOUND');
    expect(await codeOf(layout.resolve(digestOf('?')))).toBe('REFERENCE_NOT_FOUND');
  });

  it('holds images without a name', async () => {
    const { layout, images } = await layoutWith('v1');
    await layout.untag('v1');
    expect(await layout.refs()).toEqual([]);
    await layout.keep(images[0]!.descriptor);
    await layout.keep(images[0]!.descriptor);
    expect(await layout.refs()).toEqual([{ descriptor: images[0]!.descriptor }]);
    await layout.tag(images[0]!.descriptor, 'named');
    expect((await layout.refs()).map(({ name }) => name)).toEqual(['named']);
    expect(await codeOf(layout.untag('v1'))).toBe('REFERENCE_NOT_FOUND');
    await layout.untag(images[0]!.descriptor.digest);
    expect(await layout.refs()).toEqual([]);
  });

  it('keeps what others write into index.json', async () => {
    const { layout, root, images } = await layoutWith('v1');
    const index = await indexOf(root);
    const entry = { ...index.manifests[0], platform: { os: 'linux', architecture: 'amd64', extra: 1 }, unknown: 'x' };
    await writeFile(
      join(root, 'index.json'),
      JSON.stringify({ ...index, manifests: [entry], annotations: { a: 'b' } }),
    );
    await layout.tag(images[0]!.descriptor, 'v2');
    const after = await indexOf(root);
    expect(after.annotations).toEqual({ a: 'b' });
    expect(after.manifests[0]).toEqual(entry);
  });

  it('takes no annotation of an entry elsewhere', async () => {
    const { layout } = await layoutWith('v1');
    expect((await layout.resolve('v1')).annotations).toBeUndefined();
  });

  it('refuses names that nobody could type', async () => {
    const { layout, images } = await layoutWith('v1');
    for (const name of ['', 'a\nb', 'x'.repeat(2000)]) {
      expect(await codeOf(layout.tag(images[0]!.descriptor, name))).toBe('INVALID_VALUE');
    }
  });

  it('counts an image as there only when it is whole', async () => {
    const { layout, root, images } = await layoutWith('v1');
    const layer = join(root, 'blobs', 'sha256', digestHex(images[0]!.layers[0]!.blob.digest));
    expect(await layout.has(images[0]!.descriptor)).toBe(true);
    await rm(layer);
    expect(await layout.has(images[0]!.descriptor)).toBe(false);
    expect(await codeOf(layout.tag(images[0]!.descriptor, 'v2'))).toBe('BLOB_NOT_FOUND');
  });

  it('does not make a layout of a folder that holds something else', async () => {
    const root = await tempDir();
    await writeFile(join(root, 'thesis.txt'), '');
    const put = openLayout(root).put(describeBytes('x'), chunksOf('x'));
    expect(await codeOf(put)).toBe('PATH_INVALID');
    expect(await readdir(root)).toEqual(['thesis.txt']);
    expect(await codeOf(openLayout(join(root, 'nothing')).resolve('v1'))).toBe('PATH_NOT_FOUND');
  });

  it('goes on behind what an earlier attempt has left of a large blob', async () => {
    const { layout, root } = await layoutWith();
    const bytes = randomBytes(300_000);
    const descriptor = describeBytes(bytes);
    const starts: number[] = [];
    const content = (end: number): Rereadable =>
      rereadable(async function* (offset) {
        starts.push(offset);
        for (let at = offset; at < end; at += 1000) yield bytes.subarray(at, at + 1000);
        if (end < bytes.length) throw new Error('cut off');
      });
    await expect(layout.put(descriptor, content(200_000))).rejects.toThrow('cut off');
    expect((await readdir(root)).filter(name => name.endsWith('.part'))).toHaveLength(1);
    // Another process, as it were.
    const other = openLayout(root);
    expect(await other.has(descriptor)).toBe(false);
    await other.put(descriptor, content(bytes.length));
    expect(starts).toEqual([0, 200_000]);
    expect(await readAll(await other.open(descriptor))).toEqual(bytes);
    expect((await readdir(root)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  it('fetches a large blob anew when what was left of it is wrong', async () => {
    const { layout, root } = await layoutWith();
    const bytes = randomBytes(200_000);
    const descriptor = describeBytes(bytes);
    await mkdir(root, { recursive: true });
    await writeFile(join(root, `.lading-blob-sha256-${descriptor.digest.slice(7)}.part`), randomBytes(100_000));
    await layout.put(
      descriptor,
      rereadable(offset => chunksOf(bytes.subarray(offset))),
    );
    expect(await readAll(await layout.open(descriptor))).toEqual(bytes);
    expect((await readdir(root)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  it('leaves nothing behind when bytes are wrong', async () => {
    const { layout, root } = await layoutWith();
    expect(await codeOf(layout.put(describeBytes('right'), chunksOf('wrong')))).toBe('DIGEST_MISMATCH');
    expect((await readdir(root)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect(await readdir(join(root, 'blobs', 'sha256'))).toEqual([]);
  });

  it('sweeps what was left a day ago, and nothing younger', async () => {
    const { layout, root } = await layoutWith('v1');
    const [old, young] = [join(root, '.lading-old.tmp'), join(root, '.lading-young.tmp')];
    await writeFile(old, '');
    await writeFile(young, '');
    await utimes(old, 1, 1);
    await openLayout(layout.root).put(describeBytes('x'), chunksOf('x'));
    expect((await readdir(root)).filter(name => name.endsWith('.tmp'))).toEqual(['.lading-young.tmp']);
  });

  it('takes over a lock whose holder is gone', async () => {
    const { layout, root, images } = await layoutWith('v1');
    const lock = join(root, '.lading-index.lock');
    await writeFile(lock, '');
    await utimes(lock, 1, 1);
    await layout.tag(images[0]!.descriptor, 'v2');
    expect(await readdir(root)).not.toContain('.lading-index.lock');
  });

  it('gives the reader an open blob to its end though it is deleted meanwhile', async () => {
    const { layout, root } = await layoutWith();
    const bytes = Buffer.alloc(2_000_000, 3);
    const descriptor = describeBytes(bytes);
    await layout.put(descriptor, chunksOf(bytes));
    const stream = await layout.open(descriptor);
    await rm(join(root, 'blobs', 'sha256', digestHex(descriptor.digest)));
    expect((await readAll(stream)).equals(bytes)).toBe(true);
  });

  it('closes what it opened when the reader stops or is stopped', async () => {
    const { layout } = await layoutWith();
    const bytes = Buffer.alloc(2_000_000, 3);
    const descriptor = describeBytes(bytes);
    await layout.put(descriptor, chunksOf(bytes));
    const before = (await readdir('/proc/self/fd').catch(() => [])).length;
    const controller = new AbortController();
    for (let i = 0; i < 20; i++) {
      const untouched = await layout.open(descriptor);
      untouched.destroy();
      const stream = await layout.open(descriptor, { signal: controller.signal });
      for await (const _ of stream) break;
    }
    const aborted = await layout.open(descriptor, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(readAll(aborted)).rejects.toThrow('enough');
    await new Promise(resolve => setTimeout(resolve, 50));
    expect((await readdir('/proc/self/fd').catch(() => [])).length).toBeLessThanOrEqual(before);
  });
});

describe('a hostile layout', () => {
  it('cannot pass off wrong bytes', async () => {
    const { layout, root, images } = await layoutWith('v1');
    const path = join(root, 'blobs', 'sha256', digestHex(images[0]!.layers[0]!.blob.digest));
    const bytes = await readFile(path);
    bytes[20]! ^= 1;
    await writeFile(path, bytes);
    expect(await codeOf(layout.open(images[0]!.layers[0]!.blob).then(readAll))).toBe('DIGEST_MISMATCH');
    await truncate(path, 10);
    expect(await codeOf(layout.open(images[0]!.layers[0]!.blob).then(readAll))).toBe('SIZE_MISMATCH');
    expect(await codeOf(validateImage(layout, images[0]!.descriptor))).toBe('IMAGE_INVALID');
  });

  it('cannot lead a read out of it by a digest', async () => {
    const { layout, root } = await layoutWith('v1');
    const index = await indexOf(root);
    for (const digest of ['sha256:../../../../etc/passwd', 'sha256:', `md5:${'0'.repeat(32)}`, '../x:y']) {
      index.manifests[0].digest = digest;
      await writeFile(join(root, 'index.json'), JSON.stringify(index));
      expect(await codeOf(layout.resolve('v1'))).toBe('INVALID_DOCUMENT');
    }
  });

  it('cannot make a write land where a link points', async () => {
    const outside = await tempDir();
    const { layout, root } = await layoutWith('v1');
    await rm(join(root, 'blobs', 'sha256'), { recursive: true });
    await symlink(outside, join(root, 'blobs', 'sha256'));
    expect(await codeOf(layout.put(describeBytes('x'), chunksOf('x')))).toBe('PATH_INVALID');
    expect(await readdir(outside)).toEqual([]);
  });

  it('cannot make a name land where a link points', async () => {
    const outside = join(await tempDir(), 'victim');
    await writeFile(outside, '{"schemaVersion":2,"manifests":[]}');
    const { layout, root, images } = await layoutWith('v1');
    await rm(join(root, 'index.json'));
    await symlink(outside, join(root, 'index.json'));
    await layout.tag(images[0]!.descriptor, 'v2');
    expect(await readFile(outside, 'utf8')).toBe('{"schemaVersion":2,"manifests":[]}');
    expect((await layout.refs()).map(({ name }) => name)).toEqual(['v2']);
  });

  it('cannot hang a reader with a pipe, or feed it from a device', async () => {
    const { layout, root, images } = await layoutWith('v1');
    const { blob } = images[0]!.layers[0]!;
    const path = join(root, 'blobs', 'sha256', digestHex(blob.digest));
    await rm(path);
    execFileSync('mkfifo', [path]);
    expect(await codeOf(layout.open(blob))).toBe('BLOB_NOT_FOUND');
    expect(await layout.has(blob)).toBe(false);
    await rm(path);
    await symlink('/dev/zero', path);
    expect(await codeOf(layout.open(blob))).toBe('BLOB_NOT_FOUND');
    await rm(path);
    await mkdir(path);
    expect(await codeOf(layout.open(blob))).toBe('BLOB_NOT_FOUND');
  });

  it('cannot fill the memory with its index.json', async () => {
    const { layout, root } = await layoutWith('v1');
    await truncate(join(root, 'index.json'), 100 * 1024 * 1024);
    expect(await codeOf(layout.refs())).toBe('SIZE_EXCEEDED');
    expect((await stat(join(root, 'index.json'))).size).toBe(100 * 1024 * 1024);
  });

  it('is refused when its files are no such files', async () => {
    const { layout, root } = await layoutWith('v1');
    for (const text of ['', '[]', '{"schemaVersion":1}', '{"schemaVersion":2,"manifests":[{}]}', 'null']) {
      await writeFile(join(root, 'index.json'), text);
      expect(await codeOf(layout.refs())).toBe('INVALID_DOCUMENT');
    }
    await writeFile(join(root, 'oci-layout'), '{"imageLayoutVersion":"7.0.0"}');
    expect(await codeOf(layout.refs())).toBe('INVALID_DOCUMENT');
  });

  it('does not confuse names with properties of objects', async () => {
    const { layout, images } = await layoutWith('v1');
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(await codeOf(layout.resolve(name))).toBe('REFERENCE_NOT_FOUND');
      await layout.tag(images[0]!.descriptor, name);
      expect((await layout.resolve(name)).digest).toBe(images[0]!.descriptor.digest);
    }
  });
});
