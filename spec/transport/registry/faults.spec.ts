import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../../src/errors/errors.js';
import { digestOf } from '../../../src/oci/digest.js';
import { readCapped } from '../../../src/stream/read-capped.js';
import type { Fault, FaultRule } from '../../../src/testing/registry-faults.js';
import type { RegistryServer } from '../../../src/testing/registry-server.js';
import type { RegistryEvent } from '../../../src/transport/registry/events.js';
import { blobOf, inPieces, noise, putBlob, putImage, type SampleImage, sampleImage } from '../sample-image.js';
import { codeOf, connect, hasty, startRegistry } from './connected.js';

const always = Number.POSITIVE_INFINITY;
const read = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => readCapped(stream, 1e9, 'test');

async function withImage(layerSize?: number): Promise<{ server: RegistryServer; image: SampleImage }> {
  const server = await startRegistry();
  const image = await sampleImage(1, layerSize);
  const writer = connect(server);
  await putImage(writer, image, '1');
  await writer.close();
  server.requests.length = 0;
  return { server, image };
}

describe('reading from a registry that has troubles', () => {
  const passing: ReadonlyArray<readonly [string, FaultRule, Fault]> = [
    ['breaks connections', { path: /manifests|blobs/, times: 2 }, { kind: 'reset' }],
    ['is overloaded', { path: /manifests|blobs/, times: 3 }, { kind: 'answer', status: 503 }],
    ['asks for patience', { times: 2 }, { kind: 'answer', status: 429, headers: { 'retry-after': '3' } }],
    ['loses answers', { path: /manifests|blobs/, times: 2 }, { kind: 'lost-answer' }],
    ['breaks off in the middle of a blob', { path: /blobs/, times: 4 }, { kind: 'cut', afterBytes: 700 }],
    [
      'ends bodies too early, and says that this is all',
      { path: /blobs/, times: 7 },
      { kind: 'shorten', toBytes: 500 },
    ],
    ['knows no HEAD', { method: 'HEAD', times: always }, { kind: 'answer', status: 405 }],
    ['refuses HEAD', { method: 'HEAD', times: always }, { kind: 'answer', status: 403 }],
    ['says "not found" to HEAD', { method: 'HEAD', path: /manifests/, times: 1 }, { kind: 'answer', status: 404 }],
    [
      'names no digests',
      { times: always },
      { kind: 'headers', headers: { 'docker-content-digest': undefined, etag: undefined } },
    ],
    ['names no sizes', { times: always }, { kind: 'headers', headers: { 'content-length': undefined } }],
    ['names no types', { times: always }, { kind: 'headers', headers: { 'content-type': undefined } }],
    ['is slow', { times: 3 }, { kind: 'delay', ms: 20 }],
  ];
  it.each(passing)('works when it %s', async (_, rule, fault) => {
    const { server, image } = await withImage();
    server.inject(rule, fault);
    const endpoint = connect(server, 'app/one:1', { access: 'pull' });
    expect(await endpoint.resolve('1')).toEqual(image.manifest.descriptor);
    for (const { descriptor, bytes } of image.blobs) {
      expect(await endpoint.has(descriptor)).toBe(true);
      expect((await read(await endpoint.open(descriptor))).equals(bytes)).toBe(true);
    }
  });

  it('asks only for the rest of a blob, however often the connection breaks', async () => {
    const { server, image } = await withImage(50_000);
    const layer = image.layers[1]!;
    server.inject({ path: /blobs/, times: 20 }, { kind: 'cut', afterBytes: 5_000 });
    const endpoint = connect(server);
    expect((await read(await endpoint.open(layer.descriptor))).equals(layer.bytes)).toBe(true);
    const ranges = server.requests.flatMap(({ headers }) => headers['range'] ?? []);
    expect(ranges[0]).toBe(`bytes=5000-${layer.bytes.length - 1}`);
    expect(ranges.length).toBeGreaterThan(5);
  });

  it('starts over where ranges are not known', async () => {
    const { server, image } = await withImage(50_000);
    const layer = image.layers[1]!;
    server.inject({ path: /blobs/, times: 1 }, { kind: 'cut', afterBytes: 5_000 });
    const whole = { kind: 'answer', status: 200, body: layer.bytes } as const;
    server.inject({ path: /blobs/, skip: 1, times: 1 }, whole);
    expect((await read(await connect(server).open(layer.descriptor))).equals(layer.bytes)).toBe(true);
  });

  it('gives up on a blob that never comes further', async () => {
    const { server, image } = await withImage();
    server.inject({ path: /blobs/, times: always }, { kind: 'cut', afterBytes: 0 });
    const stream = await connect(server).open(image.layers[1]!.descriptor);
    expect(await codeOf(read(stream))).toBe('REGISTRY_UNREACHABLE');
  });

  const lies: ReadonlyArray<readonly [string, Fault, string]> = [
    ['damages blobs', { kind: 'corrupt' }, 'DIGEST_MISMATCH'],
    ['sends less of a blob than there is', { kind: 'answer', status: 200, body: noise(100) }, 'SIZE_MISMATCH'],
    ['sends more than there is', { kind: 'answer', status: 200, body: noise(10_000) }, 'SIZE_MISMATCH'],
    [
      'sends another part',
      { kind: 'answer', status: 206, headers: { 'content-range': 'bytes 5-9/10' } },
      'REGISTRY_RESPONSE',
    ],
    ['answers nonsense', { kind: 'answer', status: 299 }, 'REGISTRY_RESPONSE'],
  ];
  it.each(lies)('fails when it %s', async (_, fault, code) => {
    const { server, image } = await withImage();
    server.inject({ path: /blobs/, times: always }, fault);
    const { descriptor } = image.layers[1]!;
    const reading = async (): Promise<unknown> => read(await connect(server).open(descriptor));
    expect(await codeOf(reading())).toBe(code);
  });

  it('tells what was expected and what came', async () => {
    const { server, image } = await withImage();
    const { descriptor, bytes } = image.manifest;
    server.inject({ path: /manifests/, times: always }, { kind: 'corrupt' });
    const wrong = Buffer.from(bytes);
    wrong[Math.floor(bytes.length / 2)]! ^= 1;
    const error = await connect(server)
      .open(descriptor)
      .catch(error => error);
    expect(isLadingError(error, 'DIGEST_MISMATCH') && error.details).toEqual({
      expected: descriptor.digest,
      actual: digestOf(wrong),
    });
  });

  it('believes no digest that the registry makes up', async () => {
    const { server, image } = await withImage();
    const other = digestOf('other');
    server.inject(
      { path: /manifests/, times: always },
      { kind: 'headers', headers: { 'docker-content-digest': other } },
    );
    const endpoint = connect(server);
    expect(await codeOf(endpoint.resolve(image.manifest.descriptor.digest))).toBe('DIGEST_MISMATCH');
    expect(await codeOf(endpoint.open(image.manifest.descriptor))).toBe('DIGEST_MISMATCH');
    // A tag says nothing about its digest: the lie comes out when the manifest is opened.
    const resolved = await endpoint.resolve('1');
    expect(await codeOf(endpoint.open(resolved))).toBe('BLOB_NOT_FOUND');
  });

  it('keeps errors short and clean, and full of good advice', async () => {
    const server = await startRegistry();
    const body = JSON.stringify({
      errors: [
        { code: 'DENIED', message: `no\u001b[31m way\n password=hunter2 ${'x'.repeat(5000)}` },
        ...Array.from({ length: 50 }, () => ({ code: 'A', message: 'b' })),
      ],
    });
    server.inject({ path: /tags/, times: always }, { kind: 'answer', status: 403, body });
    const error = await connect(server)
      .tags()
      [Symbol.asyncIterator]()
      .next()
      .catch(error => error);
    if (!isLadingError(error, 'REGISTRY_RESPONSE')) throw error;
    expect(error.details).toMatchObject({ status: 403, method: 'GET' });
    expect(error.details.errors).toHaveLength(10);
    expect(error.message.length).toBeLessThan(1000);
    expect(JSON.stringify([error.message, error.details])).not.toMatch(/hunter2|\\u001b/);
    expect(error.hint).toBeDefined();
  });

  it('reads no endless error body', async () => {
    const server = await startRegistry();
    server.inject({ path: /tags/ }, { kind: 'answer', status: 400, body: '['.repeat(10_000_000) });
    const error = await connect(server)
      .tags()
      [Symbol.asyncIterator]()
      .next()
      .catch(error => error);
    expect(isLadingError(error, 'REGISTRY_RESPONSE') && error.details.errors).toEqual([]);
  });

  it.each([
    ['another host', '<https://evil.example/v2/app/one/tags/list>; rel="next"'],
    ['itself', '</v2/app/one/tags/list?n=1000>; rel="next"'],
  ])('does not follow a list of tags to %s', async (_, link) => {
    const { server } = await withImage();
    server.inject({ path: /tags/, times: always }, { kind: 'headers', headers: { link } });
    const listing = async (): Promise<void> => {
      for await (const _ of connect(server).tags());
    };
    expect(await codeOf(listing())).toBe('REGISTRY_PROTOCOL');
  });
});

describe('patience', () => {
  it('waits as long as the registry asks, and longer each time where it does not', async () => {
    const { server } = await withImage();
    server.inject({ path: /manifests/, times: 1 }, { kind: 'answer', status: 429, headers: { 'retry-after': '7' } });
    const date = { 'retry-after': 'Sun, 06 Nov 1994 08:49:47 GMT', date: 'Sun, 06 Nov 1994 08:49:37 GMT' };
    server.inject({ path: /manifests/, skip: 1, times: 1 }, { kind: 'answer', status: 503, headers: date });
    server.inject({ path: /manifests/, skip: 2, times: 2 }, { kind: 'answer', status: 502 });
    const timing = hasty();
    const events: RegistryEvent[] = [];
    await connect(server, 'app/one:1', { timing, onEvent: event => events.push(event) }).resolve('1');
    expect(timing.waits.map(Math.round)).toEqual([7_000, 10_000, 500, 1_000]);
    expect(events.map(event => event.kind === 'registry-retry' && event.reason)).toEqual([
      'status 429',
      'status 503',
      'status 502',
      'status 502',
    ]);
  });

  it('holds everyone back while the registry wants to be left alone', async () => {
    const { server, image } = await withImage();
    const endpoint = connect(server, 'app/one:1', { timing: undefined });
    await endpoint.resolve('1');
    server.requests.length = 0;
    server.inject({ path: /blobs/, times: 1 }, { kind: 'answer', status: 429, headers: { 'retry-after': '1' } });
    const started = performance.now();
    const first = endpoint.has(image.config.descriptor);
    await new Promise(resolve => setTimeout(resolve, 200));
    await Promise.all([first, ...image.layers.map(({ descriptor }) => endpoint.has(descriptor))]);
    expect(performance.now() - started).toBeGreaterThan(950);
  });

  it('ends', async () => {
    const { server } = await withImage();
    server.inject({ path: /manifests/, times: always }, { kind: 'answer', status: 500 });
    const timing = hasty();
    expect(await codeOf(connect(server, 'app/one:1', { timing }).resolve('1'))).toBe('REGISTRY_RESPONSE');
    expect(server.log().filter(line => line.startsWith('GET'))).toHaveLength(5);
  });

  it('does not wait longer than anyone would', async () => {
    const { server } = await withImage();
    const headers = { 'retry-after': '100000' };
    server.inject({ path: /manifests/, times: always }, { kind: 'answer', status: 429, headers });
    const error = await connect(server)
      .resolve('1')
      .catch(error => error);
    expect(isLadingError(error, 'REGISTRY_RESPONSE') && error.details.status).toBe(429);
    expect(error.hint).toContain('100000');
    expect(server.log()).toHaveLength(2);
  });

  it('gives up where nobody answers', async () => {
    const { server } = await withImage();
    const { host } = server;
    await server.stop();
    const error = await connect({ host })
      .resolve('1')
      .catch(error => error);
    expect(isLadingError(error, 'REGISTRY_UNREACHABLE') && error.hint).toBeDefined();
  });

  it('has an end for registries that stop talking', async () => {
    const { server } = await withImage();
    server.inject({ path: /manifests/, times: always }, { kind: 'hang' });
    const options = { headersTimeoutMs: 100, timing: hasty() };
    expect(await codeOf(connect(server, 'app/one:1', options).resolve('1'))).toBe('REGISTRY_UNREACHABLE');
  }, 15_000);
});

describe('writing to a registry that has troubles', () => {
  const passing: ReadonlyArray<readonly [string, FaultRule, Fault]> = [
    ['breaks connections', { path: /uploads|manifests/, times: 2 }, { kind: 'reset' }],
    ['loses the answer to an upload', { method: 'PUT', path: /uploads/ }, { kind: 'lost-answer' }],
    ['breaks off while it is sent to', { method: 'PUT', times: 2 }, { kind: 'cut-request', afterBytes: 10 }],
    ['is overloaded', { method: 'PUT', times: 2 }, { kind: 'answer', status: 503 }],
    ['cannot begin an upload at first', { method: 'POST', times: 2 }, { kind: 'answer', status: 500 }],
    ['names nothing', { times: always }, { kind: 'headers', headers: { 'docker-content-digest': undefined } }],
    ['cannot cancel uploads', { method: 'DELETE', times: always }, { kind: 'answer', status: 405 }],
    ['knows no HEAD', { method: 'HEAD', times: always }, { kind: 'answer', status: 401 }],
  ];
  it.each(passing)('works when it %s', async (_, rule, fault) => {
    const server = await startRegistry();
    const image = await sampleImage();
    server.inject(rule, fault);
    await putImage(connect(server), image, '1');
    expect(server.content.manifest('app/one', '1')?.bytes.equals(image.manifest.bytes)).toBe(true);
    for (const { descriptor } of [...image.layers, image.config]) {
      expect(server.content.blob('app/one', descriptor.digest)).toBeDefined();
    }
  });

  it.each([
    ['the answer to a piece is lost', 'lost-answer'],
    ['the connection breaks before a piece', 'reset'],
  ] as const)('goes on where it was when %s', async (_, kind) => {
    const server = await startRegistry();
    server.inject({ method: 'PATCH', skip: 2, times: 1 }, { kind });
    const blob = blobOf(noise(6_000_000));
    await putBlob(connect(server, 'app/one', { chunkSizeBytes: 1_000_000 }), blob);
    expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    const sent = server.requests.reduce((sum, { received }) => sum + received, 0);
    expect(sent).toBeLessThanOrEqual(7_000_000);
  });

  it('goes on when a piece is not taken in, and gives up when none is', async () => {
    const blob = blobOf(noise(6_000_000));
    for (const [times, code] of [
      [1, undefined],
      [always, 'REGISTRY_UNREACHABLE'],
    ] as const) {
      const server = await startRegistry();
      server.inject({ method: 'PATCH', skip: 2, times }, { kind: 'hang' });
      const endpoint = connect(server, 'app/one', { chunkSizeBytes: 1_000_000, headersTimeoutMs: 200, retries: 1 });
      expect(await codeOf(putBlob(endpoint, blob))).toBe(code);
      const sent = server.requests.reduce((sum, { received }) => sum + received, 0);
      if (code === undefined) expect(sent).toBe(6_000_000);
    }
  }, 30_000);

  const refusals: ReadonlyArray<readonly [string, FaultRule, Fault, string]> = [
    ['takes no uploads', { method: 'POST' }, { kind: 'answer', status: 405 }, 'REGISTRY_RESPONSE'],
    ['takes nothing', { times: always }, { kind: 'answer', status: 413 }, 'REGISTRY_RESPONSE'],
    [
      'says nothing of where',
      { method: 'POST' },
      { kind: 'headers', headers: { location: undefined } },
      'REGISTRY_PROTOCOL',
    ],
    ['leads nowhere', { method: 'POST' }, { kind: 'headers', headers: { location: 'http://[' } }, 'REGISTRY_PROTOCOL'],
    [
      'leads away from this machine without TLS',
      { method: 'POST' },
      { kind: 'headers', headers: { location: 'http://evil.example/' } },
      'REGISTRY_PROTOCOL',
    ],
    [
      'stores something else',
      { method: 'PUT' },
      { kind: 'headers', headers: { 'docker-content-digest': digestOf('else') } },
      'DIGEST_MISMATCH',
    ],
    ['breaks off', { method: 'PUT', times: always }, { kind: 'cut-request', afterBytes: 1000 }, 'REGISTRY_UNREACHABLE'],
  ];
  it.each(refusals)('fails when it %s, for small blobs and large', async (_, rule, fault, code) => {
    for (const size of [3000, 5_000_000]) {
      const server = await startRegistry();
      server.inject({ ...rule, path: /uploads/ }, fault);
      expect(await codeOf(putBlob(connect(server), blobOf(noise(size))))).toBe(code);
    }
  });
});

describe('cancelling', () => {
  it.each([
    ['resolve', 'hang', /manifests/],
    ['open', 'hang', /blobs/],
    ['put', 'hang', /uploads/],
    ['first contact', 'hang', /^\/v2\/$/],
  ] as const)('%s fails with the reason of the signal', async (what, kind, path) => {
    const { server, image } = await withImage();
    server.inject({ path, times: always }, { kind });
    const endpoint = connect(server);
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 50);
    const layer = image.layers[0]!;
    const other = blobOf(noise(10));
    const work = {
      resolve: () => endpoint.resolve('1', { signal }),
      open: () => endpoint.open(layer.descriptor, { signal }),
      put: () => endpoint.put(other.descriptor, inPieces(other.bytes), { signal }),
      'first contact': () => endpoint.resolve('1', { signal }),
    }[what];
    await expect(work()).rejects.toBe(reason);
  });

  it('ends a blob that is being read, and one that is being written', async () => {
    const { server, image } = await withImage(3_000_000);
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('enough');
    const endpoint = connect(server);
    server.inject({ path: /blobs/ }, { kind: 'stall', afterBytes: 1000 });
    const stream = await endpoint.open(image.layers[1]!.descriptor, { signal });
    const reading = read(stream).catch(error => error);
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield noise(10_000);
        await new Promise(resolve => setTimeout(resolve, 10));
      }
    };
    const writing = endpoint.put(blobOf(noise(5_000_000)).descriptor, slow(), { signal });
    setTimeout(() => controller.abort(reason), 30);
    await expect(writing).rejects.toBe(reason);
    expect(await reading).toBe(reason);
    expect(server.content.openUploads).toBe(0);
  });

  it('lets go of a blob at once when nobody reads it any more, though nothing comes', async () => {
    const { server, image } = await withImage();
    for (const started of [true, false]) {
      server.inject({ path: /blobs/ }, { kind: 'stall', afterBytes: 10 });
      const endpoint = connect(server);
      const stream = await endpoint.open(image.layers[1]!.descriptor);
      if (started) await new Promise(resolve => stream.once('data', resolve));
      stream.destroy();
      await expect.poll(() => server.requests.at(-1)?.abandoned, { timeout: 4_000 }).toBe(true);
    }
  });

  it('closes its sockets, whatever is under way', async () => {
    const { server, image } = await withImage();
    server.inject({ path: /blobs/ }, { kind: 'stall', afterBytes: 10 });
    server.inject({ path: /manifests/ }, { kind: 'hang' });
    const endpoint = connect(server);
    const reading = codeOf(read(await endpoint.open(image.layers[1]!.descriptor)));
    const resolving = codeOf(endpoint.resolve('1'));
    await expect.poll(() => server.connections()).toBe(2);
    await endpoint.close();
    expect(await reading).toBeDefined();
    expect(await resolving).toBeDefined();
    await expect.poll(() => server.connections(), { timeout: 4_000 }).toBe(0);
    expect(await codeOf(endpoint.resolve('1'))).toBeDefined();
  });

  it('does nothing at all when it is cancelled already', async () => {
    const server = await startRegistry();
    const endpoint = connect(server);
    const signal = AbortSignal.abort(new Error('never'));
    const { descriptor, bytes } = blobOf(noise(10));
    await expect(endpoint.resolve('1', { signal })).rejects.toThrow('never');
    await expect(endpoint.put(descriptor, inPieces(bytes), { signal })).rejects.toThrow('never');
    expect(server.log()).toEqual([]);
  });

  it('does not fail others that wait for the same first contact', async () => {
    const { server, image } = await withImage();
    server.inject({ path: /^\/v2\/$/ }, { kind: 'delay', ms: 100 });
    const endpoint = connect(server);
    const controller = new AbortController();
    const impatient = endpoint.resolve('1', { signal: controller.signal });
    const patient = endpoint.resolve('1');
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(impatient).rejects.toThrow('enough');
    expect(await patient).toEqual(image.manifest.descriptor);
  });
});
