import { describe, expect, it } from 'vitest';
import { childrenOf, maxContentDepth, walk } from '../../src/content/walk.js';
import { imageIndex } from '../../src/image/mutate.js';
import { digestOf } from '../../src/oci/digest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import { codeOf } from '../support/content-suite.js';
import { MemoryContent } from '../support/memory-content.js';
import { randomImage, randomIndex } from '../support/random-image.js';

const platforms = ['amd64', 'arm64'].map(architecture => ({ os: 'linux', architecture }));
const collect = async (content: MemoryContent, root: Parameters<typeof walk>[1]): Promise<string[]> => {
  const digests: string[] = [];
  for await (const { descriptor } of walk(content, root)) digests.push(descriptor.digest);
  return digests;
};

describe('walk', () => {
  it('goes depth first, parents before children, in the order of the documents', async () => {
    const content = new MemoryContent();
    const { descriptor, images } = await randomIndex(content, 1, platforms);
    expect(await collect(content, descriptor)).toEqual([
      descriptor.digest,
      ...images.flatMap(image => [
        image.descriptor.digest,
        image.config.digest,
        ...image.layers.map(({ blob }) => blob.digest),
      ]),
    ]);
  });

  it('visits what is shared once', async () => {
    const content = new MemoryContent();
    const image = await randomImage(content, 1);
    const { descriptor, bytes } = imageIndex([image.descriptor, image.descriptor]);
    content.add(descriptor.mediaType, bytes);
    expect(await collect(content, descriptor)).toHaveLength(1 + 1 + 1 + 2);
  });

  it('does not follow a subject', async () => {
    const content = new MemoryContent();
    const { config } = await randomImage(content, 1);
    const subject = { mediaType: mediaTypes.manifest, digest: digestOf('elsewhere'), size: 9 };
    const bytes = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [], subject });
    const descriptor = content.add(mediaTypes.manifest, bytes);
    expect(await childrenOf(content, descriptor)).toEqual([config]);
  });

  it('gives up on graphs deeper than any image', async () => {
    const content = new MemoryContent();
    let top = (await randomImage(content, 1)).descriptor;
    for (let i = 0; i <= maxContentDepth; i++) {
      const index = imageIndex([top]);
      content.add(index.descriptor.mediaType, index.bytes);
      top = index.descriptor;
    }
    expect(await codeOf(collect(content, top))).toBe('INVALID_DOCUMENT');
  });

  it('refuses documents that read in two ways', async () => {
    const content = new MemoryContent();
    const { config } = await randomImage(content, 1);
    const both = { schemaVersion: 2, config, layers: [], manifests: [] };
    for (const mediaType of [mediaTypes.manifest, mediaTypes.index]) {
      const descriptor = content.add(mediaType, JSON.stringify(both));
      expect(await codeOf(childrenOf(content, descriptor))).toBe('INVALID_DOCUMENT');
    }
    const liar = content.add(
      mediaTypes.manifest,
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config, layers: [] }),
    );
    expect(await codeOf(childrenOf(content, liar))).toBe('INVALID_DOCUMENT');
  });

  it('reads no document larger than the limit', async () => {
    const descriptor = { mediaType: mediaTypes.manifest, digest: digestOf('x'), size: 64 * 1024 * 1024 };
    expect(await codeOf(childrenOf(new MemoryContent(), descriptor))).toBe('SIZE_EXCEEDED');
  });
});
