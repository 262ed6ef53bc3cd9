import { describe, expect, it, onTestFinished } from 'vitest';
import { type CopyEvent, copyImage } from '../../../src/content/copy.js';
import { isLadingError } from '../../../src/errors/errors.js';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { type Digest, digestOf } from '../../../src/oci/digest.js';
import { encodeManifest } from '../../../src/oci/manifest.js';
import { mediaTypes } from '../../../src/oci/media-types.js';
import { openStore, type Store } from '../../../src/store/store.js';
import { Digester } from '../../../src/stream/verified.js';
import type { Fault, FaultRule } from '../../../src/testing/registry-faults.js';
import type { RegistryServer, RegistryServerOptions } from '../../../src/testing/registry-server.js';
import type { RegistryEvent } from '../../../src/transport/registry/events.js';
import { readAll } from '../../support/content-suite.js';
import { MemoryContent } from '../../support/memory-content.js';
import { selfSigned } from '../../support/self-signed.js';
import { tempDir } from '../../support/temp-dir.js';
import { type Blob, blobOf, noise, putBlob, putImage, type SampleImage, sampleImage } from '../sample-image.js';
import { connect, startRegistry } from './connected.js';

const always = Number.POSITIVE_INFINITY;
/** How long to look for what must come; machines may be busy. */
const patient = { timeout: 30_000 };
const auth = { kind: 'token', username: 'me', password: 'pass-word' } as const;
const credentials = { get: async () => ({ kind: 'password', username: 'me', password: 'pass-word' }) as const };

async function newStore(): Promise<Store> {
  const store = await openStore(await tempDir());
  onTestFinished(() => store.close());
  return store;
}

/** Pushes an image, copies it to another repository, and pulls it back; all bytes must be the same. */
async function throughAndBack(server: RegistryServer, image: SampleImage): Promise<void> {
  const writer = connect(server, 'app/one:1', { credentials });
  await putImage(writer, image, '1');
  const copy = connect(server, 'app/two:1', { credentials });
  await copyImage(writer, await writer.resolve('1'), copy, { name: '1' });
  const reader = connect(server, 'app/two:1', { access: 'pull', credentials });
  const store = await newStore();
  await copyImage(reader, await reader.resolve('1'), store, { name: 'two:1' });
  for (const { descriptor, bytes } of image.blobs) {
    expect((await readAll(await store.open(descriptor))).equals(bytes)).toBe(true);
  }
}

describe('a registry', () => {
  const habits: ReadonlyArray<readonly [string, RegistryServerOptions]> = [
    ['gives relative addresses', { uploadLocation: 'relative' }],
    ['gives whole addresses', { uploadLocation: 'absolute' }],
    ['leads uploads to another host', { uploadLocation: 'elsewhere' }],
    ['leads downloads to another host, as S3 is used', { redirectBlobs: true }],
    ['redirects uploads to another host, once it has read them', { redirectUploads: 'late' }],
    ['redirects uploads to another host, without reading them', { redirectUploads: 'early' }],
    ['redirects pieces of uploads', { redirectUploads: 'late', maxUploadBytes: 1_000_000 }],
    ['leads both to another host', { redirectBlobs: true, uploadLocation: 'elsewhere' }],
    ['names no digests', { digestHeaders: false }],
    ['answers 202 to a mount', { mounts: false }],
    ['answers 401 to a mount', { mounts: 'refuse' }],
    ['knows no ranges', { ranges: false }],
    ['limits the size of uploads', { maxUploadBytes: 1_000_000 }],
    ['wants large pieces', { minChunkBytes: 2_000_000, cutEveryBytes: 3_000_000 }],
    ['cuts connections', { cutEveryBytes: 700_000 }],
    ['gives tokens for a moment', { auth: { ...auth, expiresInSeconds: 1 } }],
    ['gives tokens that it says are good for longer', { auth: { ...auth, expiresInSeconds: 1, claimedSeconds: 3600 } }],
  ];
  it.each(habits)('that %s', async (_, options) => {
    const server = await startRegistry({ auth, ...options });
    await throughAndBack(server, await sampleImage(1, 5_000_000));
    expect(server.content.openUploads).toBe(0);
  });

  it('that has lost a blob of an image gets it again, and nothing else', async () => {
    const server = await startRegistry();
    const image = await sampleImage(1, 100_000);
    await putImage(connect(server), image, '1');
    const [lost] = image.layers;
    server.content.deleteBlob('app/one', lost!.descriptor.digest);
    server.requests.length = 0;
    const store = new MemoryContent();
    for (const { descriptor, bytes } of image.blobs) store.add(descriptor.mediaType, bytes);
    const target = connect(server);
    await copyImage(store, image.manifest.descriptor, target, { name: '2' });
    expect(server.content.blob('app/one', lost!.descriptor.digest)?.equals(lost!.bytes)).toBe(true);
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(server.content.manifest('app/one', '2')?.digest).toBe(image.manifest.descriptor.digest);
  });

  const troubles: ReadonlyArray<readonly [string, FaultRule, Fault]> = [
    ['answers 401 to HEAD', { method: 'HEAD', times: always }, { kind: 'answer', status: 401 }],
    ['answers 401 to a PUT', { method: 'PUT', path: /uploads/, times: 2 }, { kind: 'answer', status: 401 }],
    ['answers 500 to a mount', { method: 'POST', path: /mount=/, times: always }, { kind: 'answer', status: 500 }],
    ['is busy', { times: 3, skip: 4 }, { kind: 'answer', status: 429, headers: { 'retry-after': '0' } }],
    ['ends bodies too early', { method: 'GET', path: /blobs/, times: 3 }, { kind: 'shorten', toBytes: 100 }],
    [
      'promises more than it sends',
      { method: 'GET', path: /blobs\/sha/, times: 2 },
      { kind: 'headers', headers: { 'content-length': '6000000' } },
    ],
    ['closes connections that are kept', { times: 5, skip: 3 }, { kind: 'reset' }],
  ];
  it.each(troubles)('that %s', async (_, rule, fault) => {
    const server = await startRegistry();
    server.inject(rule, fault);
    const options = { bodyTimeoutMs: 1000 };
    const image = await sampleImage(1, 5_000_000);
    const writer = connect(server, 'app/one:1', options);
    await putImage(writer, image, '1');
    const copy = connect(server, 'app/two:1', options);
    await copyImage(writer, image.manifest.descriptor, copy, { name: '1' });
    const reader = connect(server, 'app/two:1', { ...options, access: 'pull' });
    for (const { descriptor, bytes } of image.blobs) {
      expect((await readAll(await reader.open(descriptor))).equals(bytes)).toBe(true);
    }
  });

  it.each([1, 2, 3, 4, 5, 6])('in which anything goes wrong by chance (%i)', async seed => {
    const faults: Fault[] = [
      { kind: 'reset' },
      { kind: 'lost-answer' },
      { kind: 'answer', status: 503 },
      { kind: 'answer', status: 429, headers: { 'retry-after': '1' } },
      { kind: 'cut', afterBytes: 200_000 },
      { kind: 'cut-request', afterBytes: 100_000, keep: true },
      { kind: 'delay', ms: 5 },
    ];
    const server = await startRegistry({ chaos: { seed, rate: 0.2, faults } });
    await throughAndBack(server, await sampleImage(seed, 5_000_000));
  });
});

describe('tags that cannot be changed', () => {
  it('are an error that says so, but not when they are what they should be', async () => {
    const server = await startRegistry({ mutableTags: false });
    const [one, two] = [await sampleImage(1), await sampleImage(2)];
    await putImage(connect(server), one, '1');
    const again = connect(server);
    // Others refuse also that.
    server.inject(
      { method: 'PUT', path: /manifests\/1$/ },
      { kind: 'answer', status: 412, body: '{"errors":[{"code":"PRECONDITION","message":"immutable tag"}]}' },
    );
    await putImage(again, one, '1');
    const error = await putImage(connect(server), two, '1').catch(error => error);
    expect(isLadingError(error, 'REGISTRY_RESPONSE') && error.hint).toMatch(/another tag/);
    expect((await again.resolve('1')).digest).toBe(one.manifest.descriptor.digest);
  });
});

describe('a repository that a push does not make', () => {
  it('is an error that says what to do', async () => {
    const server = await startRegistry({ createsRepositories: false });
    const blob = blobOf(noise(100));
    const missing = await putBlob(connect(server), blob).catch(error => error);
    expect(isLadingError(missing, 'REGISTRY_RESPONSE') && missing.hint).toMatch(/create/);
    // Or it hangs up.
    server.inject({ method: 'POST', times: always }, { kind: 'reset' });
    const hungUp = await putBlob(connect(server), blob).catch(error => error);
    expect(isLadingError(hungUp, 'REGISTRY_UNREACHABLE') && hungUp.hint).toMatch(/create/);
  });

  it('is used when it is there', async () => {
    const server = await startRegistry({ createsRepositories: false });
    server.content.createRepository('app/one');
    await putBlob(connect(server), blobOf(noise(100)));
  });
});

describe('a list of tags', () => {
  it.each(['relative', 'absolute'] as const)('goes on by %s addresses', async pageLinks => {
    const server = await startRegistry({ entriesPerPage: 2, pageLinks });
    const image = await sampleImage();
    await putImage(connect(server), image, '1');
    for (const tag of ['2', '3', '4', '5']) await connect(server).tag(image.manifest.descriptor, tag);
    const tags: string[] = [];
    for await (const tag of connect(server).tags()) tags.push(tag);
    expect(tags).toEqual(['1', '2', '3', '4', '5']);
  });

  it('goes on over TLS where the registry thinks that it speaks plain HTTP', async () => {
    const server = await startRegistry({ entriesPerPage: 1, pageLinks: 'absolute', tls: selfSigned });
    const image = await sampleImage();
    const options = { insecure: true };
    await putImage(connect(server, 'app/one:1', options), image, '1');
    await connect(server, 'app/one:1', options).tag(image.manifest.descriptor, '2');
    const tags: string[] = [];
    for await (const tag of connect(server, 'app/one:1', options).tags()) tags.push(tag);
    expect(tags).toEqual(['1', '2']);
  });
});

describe('media types', () => {
  it('may be mixed in one index', async () => {
    const server = await startRegistry();
    const [oci, other] = [await sampleImage(1), await sampleImage(2)];
    const docker = blobOf(
      encodeManifest({
        schemaVersion: 2,
        mediaType: mediaTypes.dockerManifest,
        config: { ...other.config.descriptor, mediaType: mediaTypes.dockerConfig },
        layers: other.layers.map(({ descriptor }) => ({ ...descriptor, mediaType: mediaTypes.dockerLayerGzip })),
      }),
      mediaTypes.dockerManifest,
    );
    const platform = (architecture: string) => ({ os: 'linux', architecture });
    const manifests = [
      { ...oci.manifest.descriptor, platform: platform('amd64') },
      { ...docker.descriptor, platform: platform('arm64') },
    ];
    for (const mediaType of [mediaTypes.index, mediaTypes.dockerIndex]) {
      const index = blobOf(encodeManifest({ schemaVersion: 2, mediaType, manifests }), mediaType);
      const writer = connect(server, 'mixed:1');
      for (const blob of [...oci.blobs, ...other.layers, other.config, docker, index]) await putBlob(writer, blob);
      await writer.tag(index.descriptor, '1');
      const store = await newStore();
      const reader = connect(server, 'mixed:1', { access: 'pull' });
      await copyImage(reader, await reader.resolve('1'), store, { name: 'mixed:1' });
      const back = connect(server, 'back:1');
      await copyImage(store, index.descriptor, back, { name: '1' });
      expect(server.content.manifest('back', '1')?.bytes.equals(index.bytes)).toBe(true);
      expect(server.content.manifest('back', docker.descriptor.digest)?.mediaType).toBe(mediaTypes.dockerManifest);
    }
  });

  it('of a former age are refused with a way out', async () => {
    const server = await startRegistry();
    const old = Buffer.from(
      '{"schemaVersion":1,"name":"app/one","tag":"1","fsLayers":[],"history":[],"signatures":[]}',
    );
    server.content.plantManifest('app/one', '1', 'application/vnd.docker.distribution.manifest.v1+prettyjws', old);
    const error = await connect(server)
      .resolve('1')
      .catch(error => error);
    expect(isLadingError(error, 'UNSUPPORTED') && error.hint).toBeDefined();
  });
});

describe('digests of sha512', () => {
  it('are digests like any other', async () => {
    const server = await startRegistry({ cutEveryBytes: 300_000 });
    const sha512 = (bytes: Buffer, mediaType: string): Blob => {
      const digester = new Digester('sha512');
      digester.update(bytes);
      return { bytes, descriptor: { mediaType, digest: digester.digest(), size: bytes.length } };
    };
    const plain = await sampleImage(1, 500_000);
    const layers = plain.layers.map(({ bytes }) => sha512(bytes, mediaTypes.layerGzip));
    const config = sha512(plain.config.bytes, mediaTypes.config);
    const manifest = sha512(
      Buffer.from(
        encodeManifest({
          schemaVersion: 2,
          mediaType: mediaTypes.manifest,
          config: config.descriptor,
          layers: layers.map(({ descriptor }) => descriptor),
        }),
      ),
      mediaTypes.manifest,
    );
    const writer = connect(server, 'long:1');
    for (const blob of [...layers, config, manifest]) await putBlob(writer, blob);
    const store = await newStore();
    const reader = connect(server, 'long:1', { access: 'pull' });
    await copyImage(reader, manifest.descriptor, store);
    await store.keep(manifest.descriptor);
    expect((await store.check()).problems).toEqual([]);
    for (const { descriptor, bytes } of [...layers, config, manifest]) {
      expect((await readAll(await store.open(descriptor))).equals(bytes)).toBe(true);
    }
  });
});

describe('layers that a licence keeps where they are', () => {
  const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';

  async function withForeign(): Promise<{ image: SampleImage; manifest: Blob; layer: Descriptor }> {
    const image = await sampleImage();
    const layer = {
      ...image.layers[0]!.descriptor,
      mediaType: foreign,
      urls: ['https://vendor.example/layer.tar.gz'],
    };
    const manifest = blobOf(
      encodeManifest({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: image.config.descriptor,
        layers: [layer, image.layers[1]!.descriptor],
      }),
      mediaTypes.manifest,
    );
    return { image, manifest, layer };
  }

  it('are pushed only on request, and keep their addresses', async () => {
    const { image, manifest, layer } = await withForeign();
    const store = await newStore();
    for (const blob of [...image.layers, image.config, manifest]) await putBlob(store, blob);
    for (const foreignLayers of [undefined, true]) {
      const server = await startRegistry();
      const uploads: string[] = [];
      const onEvent = (event: CopyEvent): void => {
        if (event.type === 'blob-skipped') uploads.push(`${event.reason} ${event.descriptor.digest}`);
      };
      // The registry of the tests wants every blob; a real one knows which it need not have.
      if (foreignLayers === undefined) server.content.putBlob('app/one', image.layers[0]!.bytes);
      const before = server.requests.length;
      await copyImage(store, manifest.descriptor, connect(server), { name: '1', foreignLayers, onEvent });
      const asked = server.requests.slice(before).some(({ path }) => path.includes(layer.digest));
      expect(asked).toBe(foreignLayers === true);
      expect(uploads).toEqual(foreignLayers ? [] : [`foreign ${layer.digest}`]);
      expect(server.content.manifest('app/one', '1')?.bytes.toString()).toContain('vendor.example');
    }
  });

  it('may be missing where an image is pulled from', async () => {
    const { image, manifest, layer } = await withForeign();
    const server = await startRegistry();
    for (const blob of [image.layers[1]!, image.config]) server.content.putBlob('app/one', blob.bytes);
    server.content.plantManifest('app/one', '1', mediaTypes.manifest, manifest.bytes);
    const store = await newStore();
    const reader = connect(server, 'app/one:1', { access: 'pull' });
    await copyImage(reader, await reader.resolve('1'), store, { name: 'app:1' });
    expect(await store.has(layer)).toBe(false);
    expect((await store.check()).problems).toEqual([]);
  });
});

describe('mounts', () => {
  it('are tried from every repository that is known, and none of them need have the blob', async () => {
    const server = await startRegistry();
    const image = await sampleImage();
    await putImage(connect(server, 'third/place:1'), image, '1');
    const store = await newStore();
    for (const blob of image.blobs) await putBlob(store, blob);
    const events: CopyEvent[] = [];
    const mountFrom = async (): Promise<readonly string[]> => ['first/place', 'second/place', 'third/place'];
    await copyImage(store, image.manifest.descriptor, connect(server, 'new:1'), {
      name: '1',
      mountFrom,
      onEvent: event => events.push(event),
    });
    expect(events.filter(({ type }) => type === 'blob-mounted')).toHaveLength(3);
    expect(events.filter(({ type }) => type === 'blob-done')).toHaveLength(0);
    await expect.poll(() => server.content.openUploads, patient).toBe(0);
  });

  it('are given up where no token is given for the other repository', async () => {
    const server = await startRegistry({ auth });
    const image = await sampleImage();
    const options = { credentials };
    server.inject({ path: /^\/token.*other/, times: always }, { kind: 'answer', status: 403 });
    const target = connect(server, 'app/one:1', options);
    const digest: Digest = digestOf('x');
    expect(await target.mount({ mediaType: mediaTypes.layerGzip, digest, size: 1 }, 'other/place')).toBe(false);
    await putImage(target, image, '1');
  });
});

describe('a limit of requests', () => {
  it('is told once, and again when few are left', async () => {
    const server = await startRegistry();
    const image = await sampleImage();
    const events: RegistryEvent[] = [];
    const onEvent = (event: RegistryEvent): number => events.push(event);
    const endpoint = connect(server, 'app/one:1', { onEvent });
    for (const [skip, remaining] of ['76;w=21600', '75;w=21600', '9;w=21600', '9;w=21600', 'much'].entries()) {
      server.inject(
        { method: 'HEAD', path: /blobs/, skip },
        { kind: 'headers', headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': remaining } },
      );
    }
    for (let i = 0; i < 6; i++) await endpoint.has(image.config.descriptor);
    const told = events.flatMap(event => (event.kind === 'registry-rate-limit' ? [event] : []));
    expect(told.map(({ remaining }) => remaining)).toEqual([76, 9]);
    expect(told[0]).toMatchObject({ registry: server.host, limit: 100, windowSeconds: 21600 });
  });
});
