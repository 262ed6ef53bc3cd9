import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLadingError } from '../../../src/errors/errors.js';
import { digestHex, digestOf } from '../../../src/oci/digest.js';
import { encodeManifest, parseManifest } from '../../../src/oci/manifest.js';
import { mediaTypes } from '../../../src/oci/media-types.js';
import { readCapped } from '../../../src/stream/read-capped.js';
import { type Endpoint, openLocation } from '../../../src/transport/open.js';
import { copied } from '../../support/copied.js';
import { codeOf } from '../registry/connected.js';
import { blobOf, putBlob, putImage, type SampleImage, sampleImage, tarOf } from '../sample-image.js';

let folder: string;
let file: string;
const opened: Endpoint[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-archive-'));
  file = join(folder, 'image.tar');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(endpoint => endpoint.abort()));
  await rm(folder, { recursive: true });
});

type Format = 'oci-archive' | 'docker-archive';

async function open(transport: Format, access: 'read' | 'write', name?: string, path = file): Promise<Endpoint> {
  const endpoint = await openLocation({ transport, path, name }, { access, tmpDir: folder });
  opened.push(endpoint);
  return endpoint;
}

async function write(transport: Format, image: SampleImage, name: string, path = file): Promise<void> {
  const target = await open(transport, 'write', name, path);
  await putImage(target, image, name);
  await target.close();
}

async function readAll(source: Endpoint, image: SampleImage): Promise<void> {
  for (const { descriptor, bytes } of image.blobs) {
    expect(await source.has(descriptor)).toBe(true);
    expect((await readCapped(await source.open(descriptor), 1e8, 'blob')).equals(bytes)).toBe(true);
  }
}

describe.each([
  ['oci-archive', 'v1'],
  ['docker-archive', 'registry.example/app:v1'],
] as const)('%s', (format, name) => {
  it('gives back what it took', async () => {
    const image = await sampleImage(1, 300_000);
    await write(format, image, name);
    for (const wanted of [name, '', image.manifest.descriptor.digest]) {
      const source = await open(format, 'read', wanted);
      expect(await source.resolve(source.name)).toEqual(image.manifest.descriptor);
      await readAll(source, image);
    }
    expect(await readdir(folder)).toEqual(['image.tar']);
  });

  it('reads archives that are compressed as a whole, and leaves no copy', async () => {
    const image = await sampleImage();
    await write(format, image, name);
    await writeFile(file, gzipSync(await readFile(file)));
    const source = await open(format, 'read', name);
    await readAll(source, image);
    expect(await readdir(folder)).toEqual(['image.tar']);
    await writeFile(file, (await readFile(file)).subarray(0, -20));
    expect(await codeOf(open(format, 'read'))).toBe('CORRUPT_STREAM');
    await writeFile(file, Buffer.from('fd377a585a0000', 'hex'));
    expect(await codeOf(open(format, 'read'))).toBe('UNSUPPORTED');
    expect(await readdir(folder)).toEqual(['image.tar']);
  });

  it('writes the same bytes, in whatever order the blobs come', async () => {
    const image = await sampleImage();
    await write(format, image, name);
    const other = join(folder, 'other.tar');
    const target = await open(format, 'write', name, other);
    await Promise.all([...image.blobs].reverse().map(blob => putBlob(target, blob)));
    await target.tag(image.manifest.descriptor, name);
    await target.close();
    expect((await readFile(other)).equals(await readFile(file))).toBe(true);
  });

  it('holds what the tagged images need and nothing else', async () => {
    const image = await sampleImage(1);
    const target = await open(format, 'write', name);
    for (const blob of (await sampleImage(2)).blobs) await putBlob(target, blob);
    await putImage(target, image, name);
    await target.close();
    const source = await open(format, 'read', name);
    expect(await source.has(image.manifest.descriptor)).toBe(true);
    expect(await source.has((await sampleImage(2)).manifest.descriptor)).toBe(false);
  });

  it('can be read while it is written', async () => {
    const image = await sampleImage();
    const target = await open(format, 'write', name);
    expect(await codeOf(target.resolve(name))).toBe('REFERENCE_NOT_FOUND');
    await putImage(target, image, name);
    expect((await target.resolve(name)).digest).toBe(image.manifest.descriptor.digest);
    await readAll(target, image);
  });

  it('leaves everything as it was when nothing was tagged, or the work is given up', async () => {
    await writeFile(file, 'precious');
    const image = await sampleImage();
    for (const end of ['close', 'abort'] as const) {
      const target = await open(format, 'write', name);
      if (end === 'abort') await putImage(target, image, name);
      else for (const blob of image.blobs) await putBlob(target, blob);
      await target[end]();
      expect(await readdir(folder)).toEqual(['image.tar']);
      expect(await readFile(file, 'utf8')).toBe('precious');
    }
  });

  it('writes no image that is not whole', async () => {
    const image = await sampleImage();
    const target = await open(format, 'write', name);
    await putBlob(target, image.manifest);
    expect(await codeOf(target.tag(image.manifest.descriptor, name))).toBe('BLOB_NOT_FOUND');
    await target.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is cancelled without a trace', async () => {
    const image = await sampleImage();
    const target = await open(format, 'write', name);
    await putImage(target, image, name);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(target.close({ signal })).rejects.toThrow('enough');
    expect(await readdir(folder)).toEqual([]);
  });

  it('cannot be changed once it is written', async () => {
    const image = await sampleImage();
    await write(format, image, name);
    const source = await open(format, 'read');
    expect(await codeOf(putBlob(source, image.config))).toBe('UNSUPPORTED');
    expect(await codeOf(source.tag(image.manifest.descriptor, 'x'))).toBe('UNSUPPORTED');
  });

  it('says what is not there', async () => {
    await write(format, await sampleImage(), name);
    const source = await open(format, 'read');
    const missing = (await sampleImage(7)).manifest.descriptor;
    expect(await codeOf(source.resolve('nothing'))).toBe('REFERENCE_NOT_FOUND');
    expect(await codeOf(source.resolve(missing.digest))).toBe('REFERENCE_NOT_FOUND');
    expect(await codeOf(source.open(missing))).toBe('BLOB_NOT_FOUND');
    expect(await codeOf(open(format, 'read', '', join(folder, 'none.tar')))).toBe('PATH_NOT_FOUND');
    expect(await codeOf(open(format, 'read', '', folder))).toBe('PATH_INVALID');
    expect(await codeOf(open(format, 'write', '', join(folder, 'none', 'x.tar')))).toBe('IO');
  });

  it('notices bytes that changed', async () => {
    const image = await sampleImage();
    await write(format, image, name);
    const bytes = await readFile(file);
    const at = bytes.indexOf(image.layers[1]!.bytes);
    bytes[at + 100]! ^= 1;
    await writeFile(file, bytes);
    const source = await open(format, 'read');
    const reading = async (): Promise<unknown> =>
      readCapped(await source.open(image.layers[1]!.descriptor), 1e8, 'blob');
    expect(await codeOf(reading())).toBe('DIGEST_MISMATCH');
  });

  it('refuses what is no archive', async () => {
    for (const text of ['', 'hello', 'x'.repeat(2000)]) {
      await writeFile(file, text);
      expect(await codeOf(open(format, 'read')), JSON.stringify(text.slice(0, 9))).toBe('INVALID_ARCHIVE');
    }
    await writeFile(file, await tarOf({ 'some/file': 'x' }));
    expect(await codeOf(open(format, 'read'))).toBe('INVALID_ARCHIVE');
    await writeFile(file, await tarOf({ 'index.json': '{', 'manifest.json': '{' }));
    expect(await codeOf(open(format, 'read'))).toBe('INVALID_DOCUMENT');
    await write(format, await sampleImage(1, 5000), name);
    await writeFile(file, (await readFile(file)).subarray(0, 3000));
    expect(await codeOf(open(format, 'read'))).toBe('INVALID_ARCHIVE');
  });
});

describe('archives from strangers', () => {
  it('are read, or refused with an error of ours, however they are broken', async () => {
    const valid: Buffer[] = [];
    for (const [format, name] of [
      ['oci-archive', 'v1'],
      ['docker-archive', 'app:v1'],
    ] as const) {
      await write(format, await sampleImage(), name);
      valid.push(await readFile(file));
    }
    const change = fc.record({ at: fc.nat(), value: fc.nat(255), header: fc.boolean() });
    const broken = fc.record({
      archive: fc.constantFrom(...valid),
      changes: fc.array(change, { minLength: 1, maxLength: 8 }),
      length: fc.option(fc.nat(), { freq: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(broken, async ({ archive, changes, length }) => {
        const bytes = Buffer.from(archive.subarray(0, length === null ? undefined : length % archive.length));
        for (const { at, value, header } of changes) {
          // Half of the changes hit the places where headers are, and make their checksums right again.
          const place = header ? (at % 20) * 512 + (at % 512) : at % Math.max(bytes.length, 1);
          if (place >= bytes.length) continue;
          bytes[place] = value;
          if (header) repairChecksum(bytes, Math.floor(place / 512) * 512);
        }
        await writeFile(file, bytes);
        for (const format of ['oci-archive', 'docker-archive'] as const) {
          try {
            const source = await openLocation({ transport: format, path: file }, { access: 'read', tmpDir: folder });
            try {
              const descriptor = await source.resolve('');
              await readCapped(await source.open(descriptor), 1e6, 'manifest');
            } finally {
              await source.close();
            }
          } catch (error) {
            if (!isLadingError(error)) throw error;
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(await readdir(folder)).toEqual(['image.tar']);
  });
});

function repairChecksum(bytes: Buffer, start: number): void {
  const header = bytes.subarray(start, start + 512);
  if (header.length < 512) return;
  header.write('        ', 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

describe('an OCI archive', () => {
  it('holds several images, indexes among them', async () => {
    const [one, two] = await Promise.all([sampleImage(1), sampleImage(2)]);
    const index = blobOf(
      encodeManifest({
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: [
          { ...one.manifest.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
          { ...(await sampleImage(3)).manifest.descriptor, platform: { os: 'linux', architecture: 'arm64' } },
        ],
      }),
      mediaTypes.index,
    );
    const target = await open('oci-archive', 'write', 'all');
    for (const blob of [...one.blobs, ...two.blobs]) await putBlob(target, blob);
    await putBlob(target, index);
    await target.tag(two.manifest.descriptor, 'two');
    await target.tag(two.manifest.descriptor, 'also-two');
    expect(await codeOf(target.tag(index.descriptor, 'all'))).toBe('BLOB_NOT_FOUND');
    for (const blob of (await sampleImage(3)).blobs) await putBlob(target, blob);
    await target.tag(index.descriptor, 'all');
    await target.close();
    const source = await open('oci-archive', 'read');
    expect((await source.resolve('two')).digest).toBe(two.manifest.descriptor.digest);
    expect((await source.resolve('also-two')).digest).toBe(two.manifest.descriptor.digest);
    expect(await source.resolve('all')).toEqual(index.descriptor);
    expect(await codeOf(source.resolve(''))).toBe('REFERENCE_NOT_FOUND');
    await readAll(source, one);
  });

  it('copies from and to layouts and archives, byte for byte', async () => {
    const image = await sampleImage();
    await write('oci-archive', image, 'a');
    const places = [
      { transport: 'oci-layout', path: join(folder, 'layout'), name: 'b' },
      { transport: 'docker-archive', path: join(folder, 'docker.tar'), name: 'app:c' },
      { transport: 'oci-archive', path: join(folder, 'oci.tar'), name: 'a' },
    ] as const;
    let source = await open('oci-archive', 'read', 'a');
    for (const place of places) {
      const target = await openLocation(place, { access: 'write' });
      await copied(source, await source.resolve(source.name), target, { name: target.name });
      await target.close();
      source = await openLocation(place, { access: 'read' });
      opened.push(source);
      expect((await source.resolve(place.name)).digest).toBe(image.manifest.descriptor.digest);
    }
    expect((await readFile(join(folder, 'oci.tar'))).equals(await readFile(file))).toBe(true);
  });
});

describe('a Docker archive', () => {
  const config = async (image: SampleImage): Promise<string> => `${digestHex(image.config.descriptor.digest)}.json`;

  /** As `docker save` wrote it before version 25, and as podman and skopeo write it. */
  async function classic(image: SampleImage, changes: Readonly<Record<string, string | Buffer>> = {}): Promise<void> {
    const layers = ['aaa/layer.tar', 'bbb/layer.tar'];
    const manifest = [{ Config: await config(image), RepoTags: ['app:1', 'other.example/app:2'], Layers: layers }];
    await writeFile(
      file,
      await tarOf({
        [await config(image)]: image.config.bytes,
        'aaa/VERSION': '1.0',
        'aaa/layer.tar': { link: '../layers/first.tar' },
        'layers/first.tar': image.tars[0]!,
        'bbb/layer.tar': image.tars[1]!,
        'manifest.json': JSON.stringify(manifest),
        repositories: '{}',
        ...changes,
      }),
    );
  }

  it('of the older form is always the same image', async () => {
    const image = await sampleImage();
    await classic(image);
    const digests = new Set<string>();
    for (const name of ['app:1', 'docker.io/library/app:1', 'other.example/app:2', '']) {
      const source = await open('docker-archive', 'read', name);
      const descriptor = await source.resolve(name);
      digests.add(descriptor.digest);
      const bytes = await readCapped(await source.open(descriptor), 1e6, 'manifest');
      const manifest = parseManifest(bytes);
      expect(manifest.config.digest).toBe(image.config.descriptor.digest);
      expect(manifest.layers.map(({ digest, mediaType }) => [digest, mediaType])).toEqual(
        image.tars.map(tar => [digestOf(tar), mediaTypes.layerTar]),
      );
      for (const [i, layer] of manifest.layers.entries()) {
        expect((await readCapped(await source.open(layer), 1e6, 'layer')).equals(image.tars[i]!)).toBe(true);
      }
      expect(await source.resolve(descriptor.digest)).toEqual(descriptor);
      expect(await codeOf(source.resolve('app:2'))).toBe('REFERENCE_NOT_FOUND');
    }
    expect(digests.size).toBe(1);
  });

  it('may have compressed layers', async () => {
    const image = await sampleImage();
    await classic(image, { 'bbb/layer.tar': image.layers[1]!.bytes });
    const source = await open('docker-archive', 'read');
    const bytes = await readCapped(await source.open(await source.resolve('')), 1e6, 'manifest');
    expect(parseManifest(bytes).layers[1]).toEqual(image.layers[1]!.descriptor);
  });

  it('of the newer form keeps its manifest, also inside an index of which the rest is missing', async () => {
    const image = await sampleImage();
    const manifests = [(await sampleImage(2)).manifest.descriptor, image.manifest.descriptor];
    const index = blobOf(
      encodeManifest({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }),
      mediaTypes.index,
    );
    const path = (digest: Parameters<typeof digestHex>[0]): string => `blobs/sha256/${digestHex(digest)}`;
    const blobs = [...image.blobs, index].map(({ descriptor, bytes }) => [path(descriptor.digest), bytes] as const);
    const saved = [
      {
        Config: path(image.config.descriptor.digest),
        RepoTags: ['app:1'],
        Layers: image.layers.map(({ descriptor }) => path(descriptor.digest)),
      },
    ];
    await writeFile(
      file,
      await tarOf({
        ...Object.fromEntries(blobs),
        'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
        'index.json': JSON.stringify({ schemaVersion: 2, manifests: [index.descriptor] }),
        'manifest.json': JSON.stringify(saved),
      }),
    );
    const source = await open('docker-archive', 'read', 'app:1');
    expect(await source.resolve('app:1')).toEqual(image.manifest.descriptor);
    await readAll(source, image);
  });

  it.each([
    ['a layer that is not the one of the config', { 'bbb/layer.tar': Buffer.alloc(1024) }, 'DIGEST_MISMATCH'],
    [
      'a link out of the archive',
      { 'manifest.json': '[{"Config":"../../etc/passwd","Layers":[]}]' },
      'INVALID_ARCHIVE',
    ],
    ['a config that is not there', { 'manifest.json': '[{"Config":"x.json","Layers":[]}]' }, 'INVALID_ARCHIVE'],
    ['no image', { 'manifest.json': '[]' }, 'REFERENCE_NOT_FOUND'],
  ])('is refused with %s', async (_, changes: Record<string, string | Buffer>, code) => {
    await classic(await sampleImage(), changes);
    const source = await open('docker-archive', 'read');
    expect(await codeOf(source.resolve(''))).toBe(code);
  });

  it('is refused when its config is not what its name says, or does not fit its layers', async () => {
    const image = await sampleImage();
    await classic(image, { [await config(image)]: '{}' });
    expect(await codeOf((await open('docker-archive', 'read')).resolve(''))).toBe('DIGEST_MISMATCH');
    await classic(image, {
      'manifest.json': JSON.stringify([{ Config: await config(image), Layers: ['aaa/layer.tar'] }]),
    });
    expect(await codeOf((await open('docker-archive', 'read')).resolve(''))).toBe('INVALID_ARCHIVE');
    await writeFile(file, await tarOf({ repositories: '{}' }));
    expect(await codeOf(open('docker-archive', 'read'))).toBe('UNSUPPORTED');
  });

  it('has all names of an image in one place, and one platform only', async () => {
    const image = await sampleImage();
    const target = await open('docker-archive', 'write', 'app:1');
    await putImage(target, image, 'app:1');
    await target.tag(image.manifest.descriptor, 'ghcr.io/a/b:2');
    await target.close();
    const tar = (await readFile(file)).toString('latin1');
    expect(tar).toContain('"RepoTags":["app:1","ghcr.io/a/b:2"]');
    const two = await sampleImage(2);
    const manifests = [image.manifest.descriptor, two.manifest.descriptor];
    const index = blobOf(
      encodeManifest({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }),
      mediaTypes.index,
    );
    const both = await open('docker-archive', 'write', 'app:1');
    for (const blob of [...image.blobs, ...two.blobs, index]) await putBlob(both, blob);
    await both.tag(index.descriptor, 'app:1');
    expect(await codeOf(both.close())).toBe('UNSUPPORTED');
  });
});
