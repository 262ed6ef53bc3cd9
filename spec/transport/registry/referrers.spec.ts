import { describe, expect, it } from 'vitest';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { parseDigest } from '../../../src/oci/digest.js';
import { encodeManifest } from '../../../src/oci/manifest.js';
import { mediaTypes } from '../../../src/oci/media-types.js';
import { inOnePiece } from '../../../src/stream/bytes.js';
import type { RegistryEndpoint } from '../../../src/transport/registry/client.js';
import { fallbackTag } from '../../../src/transport/registry/referrers.js';
import { blobOf, putBlob, putImage, sampleImage } from '../sample-image.js';
import { codeOf, connect, startRegistry } from './connected.js';

/** Puts an artifact about an image. */
async function putArtifact(
  endpoint: RegistryEndpoint,
  { mediaType, digest, size }: Descriptor,
  artifactType: string,
  seed = '',
): Promise<Descriptor> {
  const config = blobOf(Buffer.from('{}'), mediaTypes.empty);
  await putBlob(endpoint, config);
  const bytes = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: config.descriptor,
    layers: [config.descriptor],
    subject: { mediaType, digest, size },
    annotations: { seed },
  });
  const { descriptor } = blobOf(bytes, mediaTypes.manifest);
  await endpoint.put(descriptor, inOnePiece(bytes));
  return descriptor;
}

async function listed(endpoint: RegistryEndpoint, subject: Descriptor, artifactType?: string): Promise<Descriptor[]> {
  const found: Descriptor[] = [];
  for await (const each of endpoint.referrers(subject.digest, { artifactType })) found.push(each);
  return found;
}

const kinds = [
  ['by the registry', { referrers: true, entriesPerPage: 2 }],
  ['by a registry that leaves the choosing to us', { referrers: true, filtersReferrers: false, entriesPerPage: 3 }],
  ['under a tag, where the registry has no list', { referrers: false }],
] as const;

describe.each(kinds)('what refers to an image is listed %s', (_, options) => {
  it('with types and annotations, whole and by type', async () => {
    const server = await startRegistry(options);
    const endpoint = connect(server);
    const image = await sampleImage();
    await putImage(endpoint, image, '1');
    const subject = image.manifest.descriptor;
    expect(await listed(endpoint, subject)).toEqual([]);
    const artifacts: Descriptor[] = [];
    for (let i = 0; i < 5; i++) {
      artifacts.push(await putArtifact(endpoint, subject, i % 2 ? 'test/odd' : 'test/even', String(i)));
    }
    const found = await listed(endpoint, subject);
    expect(found.map(({ digest }) => digest)).toEqual(artifacts.map(({ digest }) => digest));
    expect(found[1]).toMatchObject({ artifactType: 'test/odd', annotations: { seed: '1' } });
    expect((await listed(endpoint, subject, 'test/odd')).map(({ digest }) => digest)).toEqual([
      artifacts[1]!.digest,
      artifacts[3]!.digest,
    ]);
    const tags = server.content.tags('app/one');
    expect(tags).toEqual(options.referrers ? ['1'] : ['1', fallbackTag(subject.digest)]);
  });

  it('and no more when it is deleted', async () => {
    const server = await startRegistry(options);
    const endpoint = connect(server);
    const image = await sampleImage();
    await putImage(endpoint, image, '1');
    const subject = image.manifest.descriptor;
    const [one, two] = [
      await putArtifact(endpoint, subject, 'a/b', '1'),
      await putArtifact(endpoint, subject, 'a/b', '2'),
    ];
    await endpoint.delete(one.digest);
    expect((await listed(endpoint, subject)).map(({ digest }) => digest)).toEqual([two.digest]);
  });

  it('once, however often it is put', async () => {
    const endpoint = connect(await startRegistry(options));
    const image = await sampleImage();
    await putImage(endpoint, image, '1');
    const subject = image.manifest.descriptor;
    await putArtifact(endpoint, subject, 'a/b');
    await putArtifact(endpoint, subject, 'a/b');
    expect(await listed(endpoint, subject)).toHaveLength(1);
  });
});

describe('the tag that stands for a list of referrers', () => {
  it('loses nothing when many write it at once', async () => {
    const server = await startRegistry({ referrers: false });
    const endpoint = connect(server);
    const image = await sampleImage();
    await putImage(endpoint, image, '1');
    const subject = image.manifest.descriptor;
    const writers = Array.from({ length: 4 }, () => connect(server));
    await Promise.all(writers.map((writer, i) => putArtifact(writer, subject, 'a/b', String(i))));
    expect(await listed(endpoint, subject)).toHaveLength(4);
  });

  it('is an image that somebody else called like that, and then it is left alone', async () => {
    const server = await startRegistry({ referrers: false });
    const endpoint = connect(server);
    const image = await sampleImage();
    await putImage(endpoint, image, '1');
    const other = await sampleImage(2);
    const tag = fallbackTag(image.manifest.descriptor.digest);
    await putImage(endpoint, other, tag);
    expect(await listed(endpoint, image.manifest.descriptor)).toEqual([]);
    expect(await codeOf(putArtifact(endpoint, image.manifest.descriptor, 'a/b'))).toBe('REGISTRY_PROTOCOL');
    expect(server.content.manifest('app/one', tag)?.digest).toBe(other.manifest.descriptor.digest);
  });

  it('has a name of the form that the specification gives it', () => {
    expect(fallbackTag(parseDigest(`sha512:${'a'.repeat(128)}`))).toBe(`sha512-${'a'.repeat(64)}`);
  });
});

describe('deleting', () => {
  it('takes a tag away and leaves the others, or a manifest with all of them', async () => {
    const server = await startRegistry();
    const endpoint = connect(server);
    const image = await sampleImage();
    await putImage(endpoint, image, '1');
    await endpoint.tag(image.manifest.descriptor, '2');
    await endpoint.delete('1');
    expect(server.content.tags('app/one')).toEqual(['2']);
    await endpoint.delete(image.manifest.descriptor.digest);
    expect(server.content.tags('app/one')).toEqual([]);
    expect(await codeOf(endpoint.delete('2'))).toBe('REFERENCE_NOT_FOUND');
  });

  it('says when the registry does not', async () => {
    const server = await startRegistry();
    server.inject({ method: 'DELETE' }, { kind: 'answer', status: 405 });
    expect(await codeOf(connect(server).delete('1'))).toBe('UNSUPPORTED');
  });
});
