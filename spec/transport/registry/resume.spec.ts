import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CopyEvent, copyImage } from '../../../src/content/copy.js';
import { validateImage } from '../../../src/image/validate.js';
import { digestHex } from '../../../src/oci/digest.js';
import { openStore, type Store } from '../../../src/store/store.js';
import { rereadable } from '../../../src/stream/rereadable.js';
import type { RegistryServer } from '../../../src/testing/registry-server.js';
import { HostGates } from '../../../src/transport/http/host-gates.js';
import type { RegistryEvent } from '../../../src/transport/registry/events.js';
import { readAll } from '../../support/content-suite.js';
import { tempDir } from '../../support/temp-dir.js';
import {
  type Blob,
  blobOf,
  inPieces,
  noise,
  putBlob,
  putImage,
  type SampleImage,
  sampleImage,
} from '../sample-image.js';
import { codeOf, connect, hasty, startRegistry } from './connected.js';

const kib = 1024;
const always = Number.POSITIVE_INFINITY;
/** How long to look for what must come; machines may be busy. */
const patient = { timeout: 30_000 };

async function newStore(root?: string): Promise<Store> {
  const store = await openStore(root ?? (await tempDir()));
  onTestFinished(() => store.close());
  return store;
}

async function holding(image: SampleImage, options = {}): Promise<RegistryServer> {
  const server = await startRegistry(options);
  for (const { bytes } of [...image.layers, image.config]) server.content.putBlob('app/one', bytes);
  server.content.putManifest('app/one', '1', image.manifest.descriptor.mediaType, image.manifest.bytes);
  return server;
}

const sentOf = ({ bytes }: Blob): number => bytes.length;
/** Bytes of blobs that a registry has given out. */
function bodiesOf(server: RegistryServer, { descriptor, bytes }: Blob): number {
  let total = 0;
  for (const { method, path, headers, status } of server.requests) {
    if (method !== 'GET' || !path.includes(descriptor.digest) || status >= 300) continue;
    const start = Number(/bytes=(\d+)-/.exec(headers['range'] ?? '')?.[1] ?? 0);
    total += bytes.length - start;
  }
  return total;
}

describe('a connection that is cut every so many KiB', () => {
  it.each([1, 3, 7, 16, 50, 64, 100, 333, 512, 1000])('%i: what was pulled is not asked for again', async n => {
    const image = await sampleImage(n, Math.min(200, n * 40) * kib);
    const server = await holding(image, { cutEveryBytes: n * kib });
    const store = await newStore();
    const source = connect(server, 'app/one:1', { access: 'pull' });
    await copyImage(source, await source.resolve('1'), store);
    await validateImage(store, image.manifest.descriptor);
    // What was asked for begins each time where the connection had broken, but for what was still between the socket and
    // its reader.
    const { descriptor, bytes } = image.layers[1]!;
    const starts = server.requests
      .filter(({ method, path }) => method === 'GET' && path.includes(descriptor.digest))
      .map(({ headers }) => Number(/bytes=(\d+)-/.exec(headers['range'] ?? '')?.[1] ?? 0));
    expect(starts.length).toBeGreaterThanOrEqual(Math.ceil(bytes.length / (n * kib)));
    for (const [i, start] of starts.slice(1).entries()) {
      expect(start - starts[i]!).toBeGreaterThan(n * kib - 64 * kib);
      expect(start).toBeGreaterThan(starts[i]!);
    }
  });

  it.each([16, 50, 100, 333, 512, 1000, 1500, 3000])('%i: what was pushed is not sent again', async n => {
    const server = await startRegistry({ cutEveryBytes: n * kib });
    const blob = blobOf(noise(5_000_000, n));
    const events: RegistryEvent[] = [];
    const onEvent = (event: RegistryEvent): number => events.push(event);
    await putBlob(connect(server, 'app/one', { chunkSizeBytes: 2_000 * kib, onEvent }), blob);
    expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    expect(server.requests.reduce((sum, { received }) => sum + received, 0)).toBe(sentOf(blob));
    expect(server.content.openUploads).toBe(0);
  });

  it.each([100, 300, 700, 1500])('%i, and what has arrived is lost: less than a chunk for each failure', async n => {
    const server = await startRegistry();
    const blob = blobOf(noise(6_000_000, n));
    server.inject({ method: 'PUT', times: 1 }, { kind: 'cut-request', afterBytes: n * kib });
    server.inject({ method: 'PATCH', skip: 1, times: 1 }, { kind: 'cut-request', afterBytes: n * kib });
    server.inject({ method: 'PATCH', skip: 3, times: 1 }, { kind: 'answer', status: 500 });
    const events: RegistryEvent[] = [];
    await putBlob(connect(server, 'app/one', { onEvent: event => events.push(event), chunkSizeBytes: 2e6 }), blob);
    expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    const repeated = server.requests.reduce((sum, { received }) => sum + received, 0) - sentOf(blob);
    expect(repeated).toBeLessThan(2 * 2e6);
    expect(events.some(({ kind }) => kind === 'transfer-repeated')).toBe(true);
  });
});

describe('an upload as one request', () => {
  it('goes on in pieces when the connection breaks', async () => {
    const server = await startRegistry();
    const blob = blobOf(noise(20_000_000));
    server.inject({ method: 'PUT' }, { kind: 'cut-request', afterBytes: 7_000_000, keep: true });
    await putBlob(connect(server), blob);
    expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    expect(server.requests.reduce((sum, { received }) => sum + received, 0)).toBe(sentOf(blob));
    expect(server.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(2);
  });

  it.each([
    ['is told that a piece is not the next one', { kind: 'answer', status: 416 }],
    ['is refused for a moment', { kind: 'answer', status: 503 }],
    ['is told to be patient', { kind: 'answer', status: 429, headers: { 'retry-after': '2' } }],
    ['is asked who it is', { kind: 'answer', status: 401 }],
    ['hears nothing of a piece that arrived', { kind: 'lost-answer' }],
  ] as const)('goes on when it %s', async (_, fault) => {
    const server = await startRegistry();
    const blob = blobOf(noise(5_000_000));
    server.inject({ method: 'PATCH', skip: 2 }, fault);
    await putBlob(connect(server, 'app/one', { chunkSizeBytes: 1e6 }), blob);
    expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    const repeated = server.requests.reduce((sum, { received }) => sum + received, 0) - sentOf(blob);
    expect(repeated).toBeLessThanOrEqual(1e6);
  });

  it('begins anew when the registry has forgotten it', async () => {
    const server = await startRegistry();
    const blob = blobOf(noise(5_000_000));
    server.inject({ method: 'PUT' }, { kind: 'answer', status: 404 });
    server.inject({ method: 'GET', path: /uploads/ }, { kind: 'answer', status: 404 });
    await putBlob(connect(server), blob);
    expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(2);
  });

  it('goes on in smaller requests where their size is limited', async () => {
    const server = await startRegistry({ maxUploadBytes: 1_000_000 });
    for (const size of [3_000_000, 12_000_000]) {
      const blob = blobOf(noise(size));
      await putBlob(connect(server), blob);
      expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    }
  });

  it('keeps to the least size of pieces that the registry asks for', async () => {
    const server = await startRegistry({ minChunkBytes: 3_000_000 });
    const blob = blobOf(noise(7_000_000));
    await putBlob(connect(server, 'app/one', { chunkSizeBytes: 1_000_000 }), blob);
    const pieces = server.requests.filter(({ method }) => method === 'PATCH').map(({ received }) => received);
    expect(pieces).toEqual([3_000_000, 3_000_000, 1_000_000]);
  });

  it('sends nothing of content that has become another since it was read first', async () => {
    const server = await startRegistry();
    const { bytes, descriptor } = blobOf(noise(5_000_000));
    let reads = 0;
    const changing = rereadable(offset => inPieces((++reads === 1 ? bytes : noise(5_000_000, 2)).subarray(offset)));
    server.inject({ method: 'PUT' }, { kind: 'cut-request', afterBytes: 3_000_000, keep: true });
    expect(await codeOf(connect(server).put(descriptor, changing))).toBe('DIGEST_MISMATCH');
    expect(server.content.blobs('app/one')).toEqual([]);
    expect(server.content.openUploads).toBe(0);
  });

  it('sends large content that comes only once nowhere else', async () => {
    const server = await startRegistry({ redirectUploads: 'late' });
    const { bytes, descriptor } = blobOf(noise(5_000_000));
    expect(await codeOf(connect(server).put(descriptor, inPieces(bytes)))).toBe('REGISTRY_PROTOCOL');
    expect(server.content.openUploads).toBe(0);
  });

  it('sends large content that comes only once no second time', async () => {
    const server = await startRegistry();
    const { bytes, descriptor } = blobOf(noise(5_000_000));
    server.inject({ method: 'PUT' }, { kind: 'reset' });
    expect(await codeOf(connect(server).put(descriptor, inPieces(bytes)))).toBe('REGISTRY_UNREACHABLE');
    expect(server.content.openUploads).toBe(0);
  });
});

describe('an upload that another process left', () => {
  async function leftBehind(server: RegistryServer, store: Store, blob: Blob): Promise<void> {
    const stop = new AbortController();
    server.inject({ method: 'PATCH', skip: 3 }, { kind: 'hang' });
    const endpoint = connect(server, 'app/one', { journal: store, chunkSizeBytes: 1_000_000 });
    const content = rereadable(offset => inPieces(blob.bytes.subarray(offset)));
    const sending = endpoint.put(blob.descriptor, content, { signal: stop.signal });
    await expect.poll(() => server.requests.filter(({ method }) => method === 'PATCH').length, patient).toBe(4);
    stop.abort(new Error('killed'));
    await expect(sending).rejects.toThrow('killed');
    server.requests.length = 0;
  }

  it('goes on where it was', async () => {
    const server = await startRegistry();
    const store = await newStore();
    const blob = blobOf(noise(8_000_000));
    await leftBehind(server, store, blob);
    const events: RegistryEvent[] = [];
    const onEvent = (event: RegistryEvent): number => events.push(event);
    await putBlob(connect(server, 'app/one', { journal: store, onEvent }), blob);
    expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    expect(server.requests.reduce((sum, { received }) => sum + received, 0)).toBe(5_000_000);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'transfer-continued', offset: 3_000_000 }));
    expect(server.content.openUploads).toBe(0);
    expect(await readdir(join(store.root, 'transfers'))).toEqual([]);
  });

  it('begins anew when the registry has forgotten it, or says what cannot be', async () => {
    for (const spoil of [
      (server: RegistryServer) => server.content.expireUploads(),
      (server: RegistryServer) =>
        server.inject(
          { method: 'GET', path: /uploads/ },
          { kind: 'answer', status: 204, headers: { range: '0-99999999' } },
        ),
    ]) {
      const server = await startRegistry();
      const store = await newStore();
      const blob = blobOf(noise(6_000_000));
      await leftBehind(server, store, blob);
      spoil(server);
      await putBlob(connect(server, 'app/one', { journal: store }), blob);
      expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    }
  });

  it('begins anew when what the registry has is something else', async () => {
    const server = await startRegistry();
    const store = await newStore();
    const blob = blobOf(noise(6_000_000));
    await leftBehind(server, store, blob);
    const other = blobOf(noise(6_000_000, 2));
    // The note of one blob with the session of another: the registry alone finds out, at the end.
    await leftBehind(server, store, other);
    const folder = join(store.root, 'transfers');
    const [one, two] = await readdir(folder);
    const [first, second] = [await readFile(join(folder, one!)), await readFile(join(folder, two!))];
    await writeFile(join(folder, one!), second);
    await writeFile(join(folder, two!), first);
    for (const each of [blob, other]) {
      await putBlob(connect(server, 'app/one', { journal: store }), each);
      expect(server.content.blob('app/one', each.descriptor.digest)?.equals(each.bytes)).toBe(true);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('is noted where only the user can read, and not noted when it can never succeed', async () => {
    const server = await startRegistry();
    const store = await newStore();
    const blob = blobOf(noise(6_000_000));
    await leftBehind(server, store, blob);
    const folder = join(store.root, 'transfers');
    const [name] = await readdir(folder);
    expect(await readFile(join(folder, name!), 'utf8')).toContain(server.host);
    server.inject({ method: 'PATCH', times: always }, { kind: 'answer', status: 403 });
    server.inject({ method: 'PUT', times: always }, { kind: 'answer', status: 403 });
    const endpoint = connect(server, 'app/one', { journal: store });
    expect(await codeOf(putBlob(endpoint, blob))).toBe('REGISTRY_RESPONSE');
    expect(await readdir(folder)).toEqual([]);
    expect(server.content.openUploads).toBe(0);
  });

  it('is waited for while that process is at it, and then not sent again', async () => {
    const server = await startRegistry();
    const root = await tempDir();
    const [one, two] = [await newStore(root), await newStore(root)];
    const blob = blobOf(noise(6_000_000));
    server.inject({ method: 'PUT', path: /uploads/ }, { kind: 'delay', ms: 200 });
    await Promise.all([one, two].map(journal => putBlob(connect(server, 'app/one', { journal }), blob)));
    expect(server.requests.reduce((sum, { received }) => sum + received, 0)).toBe(sentOf(blob));
    expect(server.content.openUploads).toBe(0);
  });
});

describe('a download that another process left', () => {
  it('goes on where it was, and is checked from its beginning', async () => {
    const image = await sampleImage(1, 900_000);
    const server = await holding(image);
    const { descriptor, bytes } = image.layers[1]!;
    const root = await tempDir();
    const folder = join(root, 'transfers');
    const partial = join(folder, `blob-sha256-${digestHex(descriptor.digest)}`);
    const spoilt = Buffer.from(bytes.subarray(0, 300_000));
    spoilt[1000]! ^= 1;
    const cases: ReadonlyArray<readonly [Buffer, number]> = [
      [bytes.subarray(0, 300_000), bytes.length - 300_000],
      [bytes, 0],
      // What is wrong is found out at the end, and then all of it is fetched.
      [spoilt, bytes.length - 300_000 + bytes.length],
      [Buffer.concat([bytes, noise(10)]), bytes.length],
    ];
    for (const [left, fetched] of cases) {
      const store = await newStore(root);
      await mkdir(folder, { recursive: true });
      await store.put(image.config.descriptor, inPieces(image.config.bytes));
      await writeFile(partial, left);
      server.requests.length = 0;
      const source = connect(server, 'app/one:1', { access: 'pull' });
      await copyImage(source, image.manifest.descriptor, store, { name: 'app:1' });
      expect(bodiesOf(server, image.layers[1]!)).toBe(fetched);
      expect((await readAll(await store.open(descriptor))).equals(bytes)).toBe(true);
      expect(await readdir(folder)).toEqual([]);
      expect((await store.check()).problems).toEqual([]);
      await store.untag('app:1');
      await store.close();
      const again = await newStore(root);
      await again.prune({ all: true });
      await again.close();
    }
  });

  it('stays in the store when the connection is lost, is no fault there, and goes with a prune', async () => {
    const image = await sampleImage(1, 900_000);
    const server = await holding(image);
    const root = await tempDir();
    const store = await newStore(root);
    const { descriptor } = image.layers[1]!;
    server.inject({ path: new RegExp(descriptor.digest) }, { kind: 'cut', afterBytes: 500_000 });
    server.inject({ path: new RegExp(descriptor.digest), skip: 1, times: always }, { kind: 'reset' });
    const source = connect(server, 'app/one:1', { access: 'pull' });
    expect(await codeOf(copyImage(source, image.manifest.descriptor, store))).toBe('REGISTRY_UNREACHABLE');
    const usage = await store.usage();
    expect(usage.transfers.count).toBe(1);
    expect(usage.transfers.sizeBytes).toBeGreaterThan(400_000);
    expect((await store.check()).problems).toEqual([]);
    // Not while the process that left it is there.
    expect((await store.prune()).cacheItems).toBe(0);
    await store.close();
    const next = await newStore(root);
    expect((await next.prune()).cacheItems).toBe(1);
    expect((await next.usage()).transfers.count).toBe(0);
  });

  it('leaves nothing of a blob that is not what it should be', async () => {
    const image = await sampleImage(1, 300_000);
    const server = await holding(image);
    const store = await newStore();
    server.inject({ path: /blobs/, times: always }, { kind: 'corrupt' });
    const source = connect(server, 'app/one:1', { access: 'pull' });
    expect(await codeOf(copyImage(source, image.manifest.descriptor, store))).toBe('DIGEST_MISMATCH');
    expect(await readdir(join(store.root, 'transfers'))).toEqual([]);
  });

  it('is fetched once by however many want it at a time, of this process or another', async () => {
    const image = await sampleImage(1, 900_000);
    const server = await holding(image);
    const root = await tempDir();
    const stores = [await newStore(root), await newStore(root)];
    server.inject({ method: 'GET', path: /blobs/, times: 6 }, { kind: 'throttle', bytesPerSecond: 5_000_000 });
    const pull = async (store: Store): Promise<void> => {
      const source = connect(server, 'app/one:1', { access: 'pull' });
      await copyImage(source, image.manifest.descriptor, store);
    };
    await Promise.all([pull(stores[0]!), pull(stores[0]!), pull(stores[1]!)]);
    expect(bodiesOf(server, image.layers[1]!)).toBe(sentOf(image.layers[1]!));
    await validateImage(stores[1]!, image.manifest.descriptor);
  });

  it('is taken over from one that fails', async () => {
    const image = await sampleImage(1, 900_000);
    const server = await holding(image);
    const root = await tempDir();
    const [failing, next] = [await newStore(root), await newStore(root)];
    const { descriptor } = image.layers[1]!;
    const stop = new AbortController();
    server.inject({ path: new RegExp(descriptor.digest) }, { kind: 'stall', afterBytes: 400_000 });
    const source = () => connect(server, 'app/one:1', { access: 'pull' });
    let received = 0;
    const onEvent = (event: CopyEvent): void => {
      if (event.type === 'blob-progress' && event.descriptor.digest === descriptor.digest) received = event.bytes;
    };
    const first = copyImage(source(), image.manifest.descriptor, failing, { signal: stop.signal, onEvent });
    await expect.poll(() => received, patient).toBeGreaterThan(300_000);
    const second = copyImage(source(), image.manifest.descriptor, next);
    stop.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    await second;
    await validateImage(next, image.manifest.descriptor);
    expect(bodiesOf(server, image.layers[1]!)).toBeLessThan(2 * image.layers[1]!.bytes.length - 300_000);
  });
});

describe('ranges side by side', () => {
  const size = 70 * 1024 * kib;

  it.each([
    ['knows ranges', {}],
    ['knows none', { ranges: false }],
    ['breaks connections', { cutEveryBytes: 1_500_000 }],
  ])(
    'give the same bytes where the registry %s',
    async (_, options) => {
      const server = await startRegistry(options);
      const blob = blobOf(Buffer.alloc(size, noise(1_000_003)));
      server.content.putBlob('app/one', blob.bytes);
      const endpoint = connect(server, 'app/one', { access: 'pull', parallelRanges: 4 });
      expect((await readAll(await endpoint.open(blob.descriptor))).equals(blob.bytes)).toBe(true);
      const tail = await readAll(await endpoint.openFrom(blob.descriptor, 1_000_000));
      expect(tail.equals(blob.bytes.subarray(1_000_000))).toBe(true);
    },
    60_000,
  );

  it('end at once with whoever reads them', async () => {
    const server = await startRegistry();
    const blob = blobOf(Buffer.alloc(size, noise(1_000_003)));
    server.content.putBlob('app/one', blob.bytes);
    const endpoint = connect(server, 'app/one', { access: 'pull', parallelRanges: 3 });
    const stream = await endpoint.open(blob.descriptor);
    await new Promise(resolve => stream.once('data', resolve));
    stream.destroy();
    await endpoint.close();
    await expect.poll(() => server.connections(), patient).toBe(0);
  });
});

describe('a server that keeps us waiting', () => {
  it('is given up when hardly anything comes', async () => {
    const server = await startRegistry();
    const blob = blobOf(noise(50_000));
    server.content.putBlob('app/one', blob.bytes);
    server.inject({ path: /blobs/, times: always }, { kind: 'throttle', bytesPerSecond: 20 });
    const slowLimit = { bytes: 1000, ms: 100 };
    const endpoint = connect(server, 'app/one', {
      access: 'pull',
      slowLimit,
      timing: { ...hasty(), now: () => performance.now() },
    });
    expect(await codeOf(readAll(await endpoint.open(blob.descriptor)))).toBe('REGISTRY_UNREACHABLE');
  });

  it('is asked for the rest when it was only slow for a while', async () => {
    const server = await startRegistry();
    const blob = blobOf(noise(50_000));
    server.content.putBlob('app/one', blob.bytes);
    server.inject({ path: /blobs/, times: 2 }, { kind: 'throttle', bytesPerSecond: 20 });
    const slowLimit = { bytes: 1000, ms: 100 };
    const endpoint = connect(server, 'app/one', {
      access: 'pull',
      slowLimit,
      timing: { ...hasty(), now: () => performance.now() },
    });
    expect((await readAll(await endpoint.open(blob.descriptor))).equals(blob.bytes)).toBe(true);
    expect(server.requests.filter(({ path }) => path.includes('blobs'))).toHaveLength(3);
  });

  it('is asked again after a silence', async () => {
    const server = await startRegistry();
    const blob = blobOf(noise(50_000));
    server.content.putBlob('app/one', blob.bytes);
    server.inject({ path: /blobs/, times: 1 }, { kind: 'stall', afterBytes: 20_000 });
    const endpoint = connect(server, 'app/one', { access: 'pull', bodyTimeoutMs: 300 });
    expect((await readAll(await endpoint.open(blob.descriptor))).equals(blob.bytes)).toBe(true);
    expect(server.requests.at(-1)?.headers['range']).toMatch(/bytes=20000-/);
  });
});

describe('a host that many ask', () => {
  it('gets no request in the time that it asks for, from eight workers', async () => {
    const image = await sampleImage(1, 400);
    const server = await holding(image);
    const gates = new HostGates();
    const workers = Array.from({ length: 8 }, () =>
      connect(server, 'app/one:1', { access: 'pull', timing: undefined, gates }),
    );
    for (const worker of workers) await worker.resolve('1');
    const blobs = Array.from({ length: 40 }, (_, seed) => blobOf(noise(500, seed)));
    for (const { bytes } of blobs) server.content.putBlob('app/one', bytes);
    const times: number[] = [];
    const requests = server.requests;
    requests.length = 0;
    const push = requests.push.bind(requests);
    requests.push = (...items) => {
      times.push(performance.now());
      return push(...items);
    };
    server.inject({ path: /blobs/, skip: 8 }, { kind: 'answer', status: 429, headers: { 'retry-after': '3' } });
    let next = 0;
    await Promise.all(
      workers.map(async worker => {
        for (let blob = blobs[next++]; blob !== undefined; blob = blobs[next++]) {
          await readAll(await worker.open(blob.descriptor));
        }
      }),
    );
    const refused = requests.findIndex(({ status }) => status === 429);
    const asked = times[refused]!;
    // Those that were on the way when the answer came have come within a moment.
    const during = times.filter(time => time > asked + 150 && time < asked + 3000);
    expect(during).toEqual([]);
    expect(times.filter(time => time >= asked + 3000).length).toBeGreaterThan(20);
  }, 30_000);

  it('is asked for no more blobs at a time than its limit, by all together', async () => {
    const server = await startRegistry();
    const gates = new HostGates(3);
    const blobs = Array.from({ length: 12 }, (_, seed) => blobOf(noise(500, seed)));
    server.inject({ path: /uploads|blobs/, times: always }, { kind: 'delay', ms: 10 });
    let most = 0;
    const watch = setInterval(() => {
      const open = server.requests.filter(({ status, path }) => status === 0 && path.includes('uploads')).length;
      most = Math.max(most, open);
    }, 2);
    const endpoints = [1, 2, 3].map(i => connect(server, `app/${i}`, { gates }));
    await Promise.all(endpoints.flatMap(endpoint => blobs.map(blob => putBlob(endpoint, blob))));
    await Promise.all(blobs.map(async ({ descriptor }) => readAll(await endpoints[0]!.open(descriptor))));
    clearInterval(watch);
    expect(most).toBeLessThanOrEqual(3);
    expect(most).toBeGreaterThan(1);
  });

  it('lets a copy inside of it go on, however few may', async () => {
    const server = await startRegistry({ mounts: false });
    const gates = new HostGates(1);
    const image = await sampleImage(3, 50_000);
    const one = connect(server, 'app/one:1', { gates });
    await putImage(one, image, '1');
    const two = connect(server, 'app/two:1', { gates, chunkSizeBytes: 10_000 });
    await copyImage(one, image.manifest.descriptor, two, { name: '1' });
    expect(await two.resolve('1')).toEqual(image.manifest.descriptor);
  });

  it('is not asked for longer than is said', async () => {
    const server = await startRegistry();
    server.inject(
      { path: /manifests/, times: always },
      { kind: 'answer', status: 503, headers: { 'retry-after': '4' } },
    );
    const timing = hasty();
    const endpoint = connect(server, 'app/one:1', { timing, retryForMs: 9_000 });
    expect(await codeOf(endpoint.resolve('1'))).toBe('REGISTRY_RESPONSE');
    // Twice for HEAD, then twice for GET.
    expect(timing.waits).toEqual([4000, 4000, 4000, 4000]);
  });
});

describe('tokens that end while an upload goes on', () => {
  it('are renewed, and no byte is sent twice', async () => {
    const auth = { kind: 'token', username: 'me', password: 'pass-word', expiresInSeconds: 1 } as const;
    const server = await startRegistry({ auth });
    const credentials = { get: async () => ({ kind: 'password', username: 'me', password: 'pass-word' }) as const };
    server.inject({ method: 'PATCH', times: always }, { kind: 'throttle', bytesPerSecond: 1_000_000 });
    const blob = blobOf(noise(5_000_000));
    const endpoint = connect(server, 'app/one', { credentials, timing: undefined, chunkSizeBytes: 800_000 });
    await putBlob(endpoint, blob);
    expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    expect(server.requests.reduce((sum, { received }) => sum + received, 0)).toBe(sentOf(blob));
    expect(server.requests.filter(({ origin }) => origin === 'tokens').length).toBeGreaterThan(3);
  }, 30_000);
});
