import { describe, expect, it } from 'vitest';
import { openImage } from '../../src/image/image.js';
import { assembleImage, imageIndex } from '../../src/image/mutate.js';
import { digestOf } from '../../src/oci/digest.js';
import { parseManifest } from '../../src/oci/manifest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import { codeOf } from '../support/content-suite.js';
import { MemoryContent } from '../support/memory-content.js';
import { randomImage, randomIndex } from '../support/random-image.js';

const linux = (architecture: string) => ({ os: 'linux', architecture });

describe('openImage', () => {
  it('reads a manifest with its config, and keeps their bytes', async () => {
    for (const style of ['oci', 'docker'] as const) {
      const content = new MemoryContent();
      const { descriptor, config, layers } = await randomImage(content, 1, { style });
      const image = await openImage(content, descriptor);
      expect(image.descriptor).toBe(descriptor);
      expect(digestOf(image.raw.manifest)).toBe(descriptor.digest);
      expect(digestOf(image.raw.config)).toBe(config.digest);
      expect(image.config.config?.Env).toEqual(['SEED=1']);
      expect(image.layers).toEqual(layers.map(({ diffId, blob }) => ({ diffId, descriptor: blob })));
    }
  });

  it('follows an index to the platform', async () => {
    const content = new MemoryContent();
    const { descriptor, images } = await randomIndex(content, 1, [linux('amd64'), linux('arm64')]);
    const image = await openImage(content, descriptor, { platform: linux('arm64') });
    expect(image.descriptor.digest).toBe(images[1]!.descriptor.digest);
    expect(await codeOf(openImage(content, descriptor, { platform: linux('s390x') }))).toBe('PLATFORM_NOT_FOUND');
    expect(await codeOf(openImage(content, descriptor))).toBe('USAGE');
  });

  it('refuses what is no image', async () => {
    const content = new MemoryContent();
    const { config, layers } = await randomImage(content, 1);
    const manifest = (value: object) =>
      content.add(mediaTypes.manifest, JSON.stringify({ schemaVersion: 2, config, layers: [], ...value }));
    const schema1 = content.add('application/vnd.docker.distribution.manifest.v1+prettyjws', '{}');
    expect(await codeOf(openImage(content, schema1))).toBe('UNSUPPORTED');
    const empty = content.add(mediaTypes.empty, '{}');
    const artifact = manifest({ artifactType: 'application/vnd.example', config: empty });
    expect(await codeOf(openImage(content, artifact))).toBe('UNSUPPORTED');
    const blobs = layers.map(({ blob }) => blob);
    const chart = manifest({ layers: [{ ...blobs[0], mediaType: 'application/vnd.cncf.helm.chart' }, blobs[1]] });
    expect(await codeOf(openImage(content, chart))).toBe('UNSUPPORTED');
    expect(await codeOf(openImage(content, manifest({ layers: blobs.slice(1) })))).toBe('INVALID_DOCUMENT');
    expect(await codeOf(openImage(content, manifest({ schemaVersion: 1 })))).toBe('INVALID_DOCUMENT');
    expect(await codeOf(openImage(content, config))).toBe('UNSUPPORTED');
  });

  it('does not follow indexes without end', async () => {
    const content = new MemoryContent();
    let { descriptor } = await randomImage(content, 1);
    for (let i = 0; i < 4; i++) {
      const index = imageIndex([{ ...descriptor, platform: linux('amd64') }]);
      content.add(index.descriptor.mediaType, index.bytes);
      descriptor = index.descriptor;
    }
    expect(await codeOf(openImage(content, descriptor, { platform: linux('amd64') }))).toBe('UNSUPPORTED');
  });
});

describe('assembleImage', () => {
  it('gives layers the media types of the image that they come into', async () => {
    const { layers } = await randomImage(new MemoryContent(), 1, { style: 'docker' });
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const mixed = [layers[0]!, { ...layers[1]!, blob: { ...layers[1]!.blob, mediaType: foreign } }];
    const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } } as const;
    const oci = parseManifest(assembleImage({ config, layers: mixed }).manifestBytes);
    expect(oci.layers.map(({ mediaType }) => mediaType)).toEqual([mediaTypes.layerGzip, foreign]);
    expect(oci.config.mediaType).toBe(mediaTypes.config);
    const docker = parseManifest(assembleImage({ config, layers, style: 'docker' }).manifestBytes);
    expect(docker.layers.map(({ mediaType }) => mediaType)).toEqual(Array(2).fill(mediaTypes.dockerLayerGzip));
    expect(docker.mediaType).toBe(mediaTypes.dockerManifest);
  });

  it('writes the diffIds of its layers, and the same bytes each time', async () => {
    const { layers } = await randomImage(new MemoryContent(), 1);
    const config = {
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [digestOf('old')] },
    } as const;
    const first = assembleImage({ config, layers, annotations: {} });
    expect(JSON.parse(Buffer.from(first.configBytes).toString()).rootfs.diff_ids).toEqual(
      layers.map(({ diffId }) => diffId),
    );
    expect(assembleImage({ config, layers })).toEqual(first);
    expect(digestOf(first.manifestBytes)).toBe(first.descriptor.digest);
    expect(parseManifest(first.manifestBytes).annotations).toBeUndefined();
  });
});
