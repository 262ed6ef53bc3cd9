import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { attestationManifest, statementOf } from '../../src/image/attestation.js';
import { assembleImage, imageIndex } from '../../src/image/mutate.js';
import { validateImage } from '../../src/image/validate.js';
import type { ImageConfig } from '../../src/oci/config.js';
import type { Descriptor } from '../../src/oci/descriptor.js';
import { digestOf } from '../../src/oci/digest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import type { LayerRef } from '../../src/tree/node.js';
import { MemoryContent } from '../support/memory-content.js';
import { randomImage, randomIndex, randomTar, seededRandom } from '../support/random-image.js';

const config: ImageConfig = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } };

/** The problems found; none when the image is valid. */
async function problemsOf(content: MemoryContent, descriptor: Descriptor): Promise<readonly string[]> {
  try {
    await validateImage(content, descriptor);
    return [];
  } catch (error) {
    if (isLadingError(error, 'IMAGE_INVALID')) return error.details.problems;
    throw error;
  }
}

function store(content: MemoryContent, layers: readonly LayerRef[], overrides: Partial<ImageConfig> = {}): Descriptor {
  const image = assembleImage({ config: { ...config, ...overrides }, layers });
  content.add(image.config.mediaType, image.configBytes);
  return content.add(image.descriptor.mediaType, image.manifestBytes);
}

function layerOf(content: MemoryContent, bytes: Uint8Array, diffId: string, mediaType: string): LayerRef {
  return { diffId: diffId as LayerRef['diffId'], blob: content.add(mediaType, bytes) };
}

describe('validateImage', () => {
  it('finds nothing wrong with good images and indexes', async () => {
    const content = new MemoryContent();
    for (const compression of ['none', 'gzip'] as const) {
      for (const style of ['oci', 'docker'] as const) {
        const { descriptor } = await randomImage(content, 1, { compression, style });
        expect(await problemsOf(content, descriptor)).toEqual([]);
      }
    }
    const platforms = [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm', variant: 'v6' },
    ];
    expect(await problemsOf(content, (await randomIndex(content, 2, platforms)).descriptor)).toEqual([]);
  });

  it('finds every blob that is missing or damaged, not the first only', async () => {
    const content = new MemoryContent();
    const { descriptor, layers } = await randomImage(content, 1, { layers: 4 });
    content.blobs.delete(layers[0]!.blob.digest);
    content.blobs.get(layers[1]!.blob.digest)![30]! ^= 1;
    const { digest } = layers[3]!.blob;
    content.blobs.set(digest, content.blobs.get(digest)!.subarray(0, 100));
    expect(await problemsOf(content, descriptor)).toHaveLength(3);
  });

  it('finds bytes behind the end of the tar that are not the blob’s', async () => {
    const content = new MemoryContent();
    const { descriptor, layers } = await randomImage(content, 1, { compression: 'none' });
    const bytes = content.blobs.get(layers[0]!.blob.digest)!;
    bytes[bytes.length - 1] = 1;
    expect(await problemsOf(content, descriptor)).toHaveLength(1);
  });

  it('finds layers that are not what the config says', async () => {
    const content = new MemoryContent();
    const tar = await randomTar(seededRandom(1));
    const lying = layerOf(content, gzipSync(tar), digestOf('something else'), mediaTypes.layerGzip);
    expect(await problemsOf(content, store(content, [lying]))).toHaveLength(1);
  });

  it('finds media types that are not what the bytes are', async () => {
    const content = new MemoryContent();
    const tar = await randomTar(seededRandom(1));
    const plain = layerOf(content, tar, digestOf(tar), mediaTypes.layerGzip);
    const packed = layerOf(content, gzipSync(tar), digestOf(tar), mediaTypes.layerTar);
    expect(await problemsOf(content, store(content, [plain, packed]))).toHaveLength(2);
  });

  it('finds layers that are no tars, or cut', async () => {
    const content = new MemoryContent();
    const text = Buffer.from('no tar at all'.repeat(100));
    const tar = await randomTar(seededRandom(1));
    const layers = [
      layerOf(content, text, digestOf(text), mediaTypes.layerTar),
      layerOf(content, gzipSync(text), digestOf(text), mediaTypes.layerGzip),
      layerOf(content, gzipSync(tar).subarray(0, 600), digestOf(tar), mediaTypes.layerGzip),
      layerOf(content, tar.subarray(0, 1100), digestOf(tar.subarray(0, 1100)), mediaTypes.layerTar),
    ];
    expect(await problemsOf(content, store(content, layers))).toHaveLength(4);
  });

  it('finds a history that does not count the layers', async () => {
    const content = new MemoryContent();
    const { layers } = await randomImage(content, 1);
    const history = [{ created_by: 'one' }, { created_by: 'two', empty_layer: true }];
    expect(await problemsOf(content, store(content, layers, { history }))).toHaveLength(1);
    expect(await problemsOf(content, store(content, layers, { history: [] }))).toEqual([]);
  });

  it('finds platforms that contradict each other', async () => {
    const content = new MemoryContent();
    const { descriptor } = await randomImage(content, 1, {
      platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
    });
    for (const [platform, count] of [
      [{ os: 'linux', architecture: 'amd64' }, 1],
      [{ os: 'linux', architecture: 'arm', variant: 'v6' }, 1],
      [{ os: 'linux', architecture: 'arm', variant: 'v7' }, 0],
      [{ os: 'linux', architecture: 'arm' }, 0],
    ] as const) {
      const index = imageIndex([{ ...descriptor, platform }]);
      content.add(index.descriptor.mediaType, index.bytes);
      expect(await problemsOf(content, index.descriptor)).toHaveLength(count);
    }
    const { layers } = await randomImage(content, 1);
    expect(await problemsOf(content, store(content, layers, { os: '', architecture: '' }))).toHaveLength(1);
  });

  it('finds manifests of mixed families', async () => {
    const content = new MemoryContent();
    const { layers } = await randomImage(content, 1);
    const image = assembleImage({ config, layers, style: 'docker' });
    content.add(image.config.mediaType, image.configBytes);
    const text = Buffer.from(image.manifestBytes).toString().replace(mediaTypes.dockerLayerGzip, mediaTypes.layerGzip);
    expect(await problemsOf(content, content.add(mediaTypes.dockerManifest, text))).toHaveLength(1);
  });

  it('finds documents that are none, in the middle of an index too', async () => {
    const content = new MemoryContent();
    const good = await randomImage(content, 1);
    const bad = content.add(mediaTypes.manifest, '{"schemaVersion":2}');
    const strange = content.add('text/plain', 'hello');
    const index = imageIndex([good.descriptor, bad, strange]);
    content.add(index.descriptor.mediaType, index.bytes);
    expect(await problemsOf(content, index.descriptor)).toHaveLength(2);
    expect(await problemsOf(content, content.add(mediaTypes.index, '{}'))).toHaveLength(1);
  });

  it('hashes what attestations consist of', async () => {
    const content = new MemoryContent();
    const good = await randomImage(content, 1);
    const claim = { predicateType: 'https://example.com/claim', predicate: {} };
    const statement = statementOf(claim, [{ name: '_', digest: good.descriptor.digest }]);
    const { descriptor, manifest, blobs } = attestationManifest(good.descriptor, [statement], { artifact: true });
    const documents = [manifest, ...blobs];
    const index = imageIndex([{ ...good.descriptor, platform: { os: 'linux', architecture: 'amd64' } }, descriptor]);
    for (const each of [...documents, index]) content.add(each.descriptor.mediaType, each.bytes);
    expect(await problemsOf(content, index.descriptor)).toEqual([]);
    for (const each of documents) {
      content.blobs.delete(each.descriptor.digest);
      expect(await problemsOf(content, index.descriptor)).toHaveLength(1);
      content.add(each.descriptor.mediaType, each.bytes);
    }
  });

  it('passes on failures of the place, which are not the image’s', async () => {
    class Broken extends MemoryContent {
      override async open(): Promise<never> {
        throw new Error('the network is gone');
      }
    }
    const content = new Broken();
    const { descriptor } = await randomImage(content, 1);
    await expect(validateImage(content, descriptor)).rejects.toThrow('the network is gone');
  });

  it('stops when it is told to', async () => {
    const content = new MemoryContent();
    const { descriptor } = await randomImage(content, 1);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(validateImage(content, descriptor, { signal })).rejects.toThrow('enough');
  });
});
