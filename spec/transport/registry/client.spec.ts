import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../../src/oci/media-types.js';
import { parseReference } from '../../../src/oci/reference.js';
import { readCapped } from '../../../src/stream/read-capped.js';
import { openRegistry } from '../../../src/transport/registry/client.js';
import { RegistryConnection } from '../../../src/transport/registry/connection.js';
import { copied } from '../../support/copied.js';
import { blobOf, inPieces, noise, putBlob, putImage, sampleImage } from '../sample-image.js';
import { codeOf, connect, hasty, startRegistry } from './connected.js';

const read = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => readCapped(stream, 1e9, 'test');

describe('a repository of a registry', () => {
  it('takes an image and gives it back, byte for byte', async () => {
    const server = await startRegistry();
    const image = await sampleImage();
    const endpoint = connect(server, 'app/one:v1');
    await putImage(endpoint, image, endpoint.name);
    const reader = connect(server, 'app/one:v1', { access: 'pull' });
    expect(await reader.resolve('v1')).toEqual(image.manifest.descriptor);
    for (const { descriptor, bytes } of image.blobs) {
      expect(await reader.has(descriptor)).toBe(true);
      expect((await read(await reader.open(descriptor))).equals(bytes)).toBe(true);
    }
    expect(server.content.openUploads).toBe(0);
  });

  it('asks no more than it must', async () => {
    const server = await startRegistry();
    const endpoint = connect(server);
    const blob = blobOf(noise(1000));
    expect(await endpoint.has(blob.descriptor)).toBe(false);
    await putBlob(endpoint, blob);
    expect(server.log().map(line => line.replace(/\?.*/, '').replace(/upload-\d+/, 'ID'))).toEqual([
      `HEAD /v2/app/one/blobs/${blob.descriptor.digest}`,
      'POST /v2/app/one/blobs/uploads/',
      'PUT /v2/app/one/blobs/uploads/ID',
    ]);
  });

  it('says no hello before its first question, unless it is going to write', async () => {
    const server = await startRegistry();
    const image = await sampleImage();
    await putImage(connect(server), image, '1');
    expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/v2/' });
    server.requests.length = 0;
    const reader = connect(server, 'app/one:1', { access: 'pull' });
    const descriptors = image.blobs.map(({ descriptor }) => descriptor);
    expect(await Promise.all(descriptors.map(descriptor => reader.has(descriptor)))).not.toContain(false);
    expect(server.requests.map(({ path }) => path)).not.toContain('/v2/');
    expect(server.requests).toHaveLength(descriptors.length);
  });

  it('learns from its first question who wants to know who asks, and asks it once for all', async () => {
    const server = await startRegistry({ auth: { kind: 'token', username: 'me', password: 'secret' } });
    const image = await sampleImage();
    const credentials = { get: async () => ({ kind: 'password', username: 'me', password: 'secret' }) as const };
    await putImage(connect(server, 'app/one:1', { credentials }), image, '1');
    server.requests.length = 0;
    const reader = connect(server, 'app/one:1', { access: 'pull', credentials });
    await Promise.all(image.blobs.map(({ descriptor }) => reader.has(descriptor)));
    expect(server.requests.filter(({ status }) => status === 401)).toHaveLength(1);
    expect(server.requests.filter(({ origin }) => origin === 'tokens')).toHaveLength(1);
  });

  it('says hello where what is not for everybody is hidden, and then asks again', async () => {
    const server = await startRegistry({ auth: { kind: 'basic', username: 'me', password: 'secret' } });
    const image = await sampleImage();
    const credentials = { get: async () => ({ kind: 'password', username: 'me', password: 'secret' }) as const };
    await putImage(connect(server, 'app/one:1', { credentials }), image, '1');
    server.inject({ method: 'HEAD', path: /manifests/ }, { kind: 'answer', status: 404 });
    const reader = connect(server, 'app/one:1', { access: 'pull', credentials });
    expect(await reader.resolve('1')).toEqual(image.manifest.descriptor);
  });

  it('lets others find out how a registry is spoken to when whoever did leaves', async () => {
    const server = await startRegistry();
    const image = await sampleImage();
    await putImage(connect(server), image, '1');
    server.inject({ method: 'HEAD', path: /manifests/ }, { kind: 'hang' });
    const reader = connect(server, 'app/one:1', { access: 'pull' });
    const leaving = new AbortController();
    const first = reader.resolve('1', { signal: leaving.signal });
    const second = reader.has(image.blobs[0]!.descriptor);
    while (!server.log().some(line => line === 'HEAD /v2/app/one/manifests/1')) await new Promise(setImmediate);
    leaving.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect(await second).toBe(true);
  });

  it('gets a manifest that will be opened with its name', async () => {
    const server = await startRegistry();
    const image = await sampleImage();
    await putImage(connect(server), image, '1');
    server.requests.length = 0;
    const reader = connect(server, 'app/one:1', { access: 'pull' });
    const descriptor = await reader.resolve('1', { toOpen: true });
    expect(descriptor).toEqual(image.manifest.descriptor);
    expect((await read(await reader.open(descriptor))).equals(image.manifest.bytes)).toBe(true);
    expect(server.log()).toEqual(['GET /v2/app/one/manifests/1']);
    expect(await codeOf(reader.resolve('no-such-tag', { toOpen: true }))).toBe('REFERENCE_NOT_FOUND');
    // What is said to be of another size than it has must not pass because it came early.
    expect(await codeOf(reader.open({ ...descriptor, size: 1 }).then(read))).toBe('SIZE_MISMATCH');
  });

  it('resolves digests, and finds nothing where nothing is', async () => {
    const server = await startRegistry();
    const image = await sampleImage();
    const endpoint = connect(server);
    await putImage(endpoint, image, '1');
    const { digest } = image.manifest.descriptor;
    expect(await endpoint.resolve(digest)).toEqual(image.manifest.descriptor);
    const missing = blobOf(noise(10)).descriptor;
    expect(await codeOf(endpoint.resolve('no-such-tag'))).toBe('REFERENCE_NOT_FOUND');
    expect(await codeOf(endpoint.resolve(missing.digest))).toBe('REFERENCE_NOT_FOUND');
    expect(await codeOf(endpoint.open(missing))).toBe('BLOB_NOT_FOUND');
    expect(await codeOf(endpoint.open({ ...missing, mediaType: mediaTypes.manifest }))).toBe('BLOB_NOT_FOUND');
    expect(await endpoint.has(missing)).toBe(false);
    expect(await codeOf(endpoint.tag({ ...missing, mediaType: mediaTypes.manifest }, 'x'))).toBe('BLOB_NOT_FOUND');
  });

  it('streams blobs that are larger than its memory for them', async () => {
    const server = await startRegistry();
    const endpoint = connect(server);
    const blob = blobOf(noise(9_000_000));
    await putBlob(endpoint, blob);
    expect((await read(await endpoint.open(blob.descriptor))).equals(blob.bytes)).toBe(true);
  });

  it.each(['absolute', 'relative', 'elsewhere'] as const)(
    'uploads to %s addresses, whole and in pieces',
    async where => {
      const auth = { kind: 'basic', username: 'user', password: 'pass-word' } as const;
      const server = await startRegistry({ uploadLocation: where, auth });
      const credentials = { get: async () => ({ ...auth, kind: 'password' as const }) };
      const whole = connect(server, 'app/one', { credentials });
      const pieces = connect(server, 'app/two', { credentials, chunkSizeBytes: 1_000_000 });
      for (const blob of [blobOf(noise(500)), blobOf(noise(5_000_001)), blobOf(Buffer.alloc(0))]) {
        await putBlob(whole, blob);
        await putBlob(pieces, blob);
        expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
        expect(server.content.blob('app/two', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
      }
      expect(server.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(6);
    },
  );

  it('does not send what is there', async () => {
    const server = await startRegistry();
    const endpoint = connect(server);
    const blob = blobOf(noise(5_000_000));
    await putBlob(endpoint, blob);
    await putBlob(endpoint, blob);
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it.each([
    ['too many bytes', 1, 'SIZE_MISMATCH'],
    ['too few bytes', -1, 'SIZE_MISMATCH'],
    ['other bytes', 0, 'DIGEST_MISMATCH'],
  ])('leaves nothing behind of %s', async (_, difference, code) => {
    const server = await startRegistry();
    for (const size of [100, 5_000_000]) {
      const endpoint = connect(server);
      const { descriptor } = blobOf(noise(size));
      const wrong = inPieces(noise(size + difference, 2));
      expect(await codeOf(endpoint.put(descriptor, wrong))).toBe(code);
    }
    const manifest = (await sampleImage()).manifest.descriptor;
    const wrong = inPieces(noise(manifest.size + difference, 2));
    expect(await codeOf(connect(server).put(manifest, wrong))).toBe(code);
    expect(server.content.blobs('app/one')).toEqual([]);
    expect(server.content.openUploads).toBe(0);
  });

  it('passes on what the content itself fails with, and cancels the upload', async () => {
    const server = await startRegistry();
    const fail = async function* (): AsyncGenerator<Uint8Array> {
      yield noise(100_000);
      throw Object.assign(new Error('unreadable'), { code: 'EIO' });
    };
    for (const chunkSizeBytes of [undefined, 50_000]) {
      const endpoint = connect(server, 'app/one', { chunkSizeBytes });
      expect(await codeOf(endpoint.put(blobOf(noise(5_000_000)).descriptor, fail()))).toBe('EIO');
    }
    expect(server.content.openUploads).toBe(0);
  });

  it('takes blobs over from other repositories', async () => {
    const server = await startRegistry();
    const image = await sampleImage();
    const from = connect(server, 'app/one:1');
    await putImage(from, image, '1');
    const to = connect(server, 'app/two:2');
    const before = server.requests.length;
    await copied(from, image.manifest.descriptor, to, { name: '2' });
    expect(await to.resolve('2')).toEqual(image.manifest.descriptor);
    const sent = server.requests.slice(before).filter(({ method }) => method === 'PUT');
    expect(sent.every(({ path }) => path.includes('/manifests/'))).toBe(true);
  });

  it('uploads after all where mounting is not possible, in the upload that the registry began', async () => {
    const server = await startRegistry({ mounts: false });
    const image = await sampleImage();
    const from = connect(server, 'app/one:1');
    await putImage(from, image, '1');
    const to = connect(server, 'app/two:2');
    const before = server.requests.length;
    await copied(from, image.manifest.descriptor, to, { name: '2' });
    expect(await to.resolve('2')).toEqual(image.manifest.descriptor);
    expect(server.requests.slice(before).filter(({ method }) => method === 'POST')).toHaveLength(3);
    expect(server.content.openUploads).toBe(0);
  });

  it('cancels on close what was begun for it and not used', async () => {
    const server = await startRegistry({ mounts: false });
    const endpoint = connect(server);
    expect(await endpoint.mount(blobOf(noise(5)).descriptor, 'app/other')).toBe(false);
    expect(server.content.openUploads).toBe(1);
    await endpoint.close();
    expect(server.content.openUploads).toBe(0);
  });

  it('lists tags, page after page', async () => {
    const server = await startRegistry({ entriesPerPage: 2 });
    const endpoint = connect(server);
    await putImage(endpoint, await sampleImage(), 'b');
    for (const tag of ['a', 'c', 'd', 'e']) await endpoint.tag((await sampleImage()).manifest.descriptor, tag);
    const tags = [];
    for await (const tag of endpoint.tags()) tags.push(tag);
    expect(tags).toEqual(['a', 'b', 'c', 'd', 'e']);
    const none = connect(server, 'app/none').tags();
    expect(await codeOf(none[Symbol.asyncIterator]().next())).toBe('REFERENCE_NOT_FOUND');
  });

  it('shares a connection, which then stays open', async () => {
    const server = await startRegistry();
    const connection = new RegistryConnection(server.host, { timing: hasty() });
    const image = await sampleImage();
    for (const name of ['a', 'b']) {
      const reference = parseReference(`${server.host}/${name}:1`);
      const endpoint = openRegistry({ reference, access: 'push', connection });
      await putImage(endpoint, image, '1');
      await endpoint.close();
    }
    expect(server.requests.filter(({ path }) => path === '/v2/')).toHaveLength(1);
    await connection.close();
    const late = openRegistry({ reference: parseReference(`${server.host}/a:1`), connection });
    expect(await codeOf(late.resolve('1'))).toBeDefined();
  });

  it('refuses manifests of a former age', async () => {
    const server = await startRegistry();
    const old = Buffer.from('{"schemaVersion":1,"name":"app/one","tag":"1","fsLayers":[]}');
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    server.content.plantManifest('app/one', 'typed', type, old);
    server.content.plantManifest('app/one', 'untyped', 'application/json', old);
    const endpoint = connect(server);
    expect(await codeOf(endpoint.resolve('typed'))).toBe('UNSUPPORTED');
    expect(await codeOf(endpoint.resolve('untyped'))).toBe('UNSUPPORTED');
  });

  it('finds out what a manifest is where the registry does not say', async () => {
    const server = await startRegistry();
    const index = Buffer.from('{"schemaVersion":2,"manifests":[]}');
    const cases = [
      ['application/json', (await sampleImage()).manifest.bytes, mediaTypes.manifest],
      ['text/plain; charset=utf-8', index, mediaTypes.index],
      [`${mediaTypes.dockerIndex}; charset=utf-8`, index, mediaTypes.dockerIndex],
    ] as const;
    const endpoint = connect(server);
    for (const [type, bytes, expected] of cases) {
      server.content.plantManifest('app/one', 'x', type, bytes);
      expect((await endpoint.resolve('x')).mediaType).toBe(expected);
    }
    server.content.plantManifest('app/one', 'x', 'text/html', Buffer.from('<html>'));
    expect(await codeOf(endpoint.resolve('x'))).toBe('REGISTRY_PROTOCOL');
  });

  it('reads no manifest that is too large', async () => {
    const server = await startRegistry();
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [], annotations: { a: 'x'.repeat(5e6) } }));
    server.content.plantManifest('app/one', 'typed', mediaTypes.index, bytes);
    server.content.plantManifest('app/one', 'untyped', 'application/json', bytes);
    const endpoint = connect(server);
    expect(await codeOf(endpoint.resolve('typed'))).toBe('SIZE_EXCEEDED');
    expect(await codeOf(endpoint.resolve('untyped'))).toBe('SIZE_EXCEEDED');
  });
});
