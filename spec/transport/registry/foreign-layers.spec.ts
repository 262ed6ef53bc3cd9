import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { copyImage } from '../../../src/content/copy.js';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { digestOf } from '../../../src/oci/digest.js';
import { mediaTypes } from '../../../src/oci/media-types.js';
import { openStore } from '../../../src/store/store.js';
import { readCapped } from '../../../src/stream/read-capped.js';
import type { RegistryServer, RegistryServerOptions } from '../../../src/testing/registry-server.js';
import { HostGates } from '../../../src/transport/http/host-gates.js';
import type { RegistryEndpoint } from '../../../src/transport/registry/client.js';
import { ForeignLayers, type ForeignLayersOptions } from '../../../src/transport/registry/foreign-layers.js';
import { cli, runCli } from '../../support/run-cli.js';
import { tempDir } from '../../support/temp-dir.js';
import { blobOf, noise } from '../sample-image.js';
import { codeOf, connect, hasty, startRegistry } from './connected.js';

const foreignType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const layer = blobOf(noise(300_000));

interface Elsewhere {
  readonly origin: string;
  readonly requests: IncomingMessage[];
}

/** A server beside the registry, that has what it is told to have. */
async function elsewhere(
  answer: (request: IncomingMessage, response: ServerResponse) => void = serve(layer.bytes),
): Promise<Elsewhere> {
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>(resolve => server.close(() => resolve()));
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

function serve(bytes: Uint8Array): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = bytes.subarray(start);
    const range = start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': rest.length, ...range }).end(rest);
  };
}

interface Lacking {
  readonly server: RegistryServer;
  readonly image: Descriptor;
  readonly foreign: Descriptor;
}

/** A registry with an image, and without the layer that it says is to be had at these addresses. */
async function lacking(urls: readonly string[], options?: RegistryServerOptions): Promise<Lacking> {
  const server = await startRegistry(options);
  const config = { mediaType: mediaTypes.empty, digest: server.content.putBlob('app/one', Buffer.from('{}')), size: 2 };
  const foreign = { ...layer.descriptor, mediaType: foreignType, urls };
  const mediaType = mediaTypes.manifest;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [foreign] }));
  server.content.putBlob('app/one', layer.bytes);
  server.content.putManifest('app/one', '1', mediaType, bytes);
  server.content.deleteBlob('app/one', layer.descriptor.digest);
  return { server, foreign, image: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

function reader({ server }: Lacking, options?: ForeignLayersOptions, more = {}): RegistryEndpoint {
  const foreignLayers = options && new ForeignLayers({ timing: hasty(), gates: new HostGates(), ...options });
  return connect(server, 'app/one:1', { access: 'pull', foreignLayers, ...more });
}

const read = async (source: RegistryEndpoint, descriptor: Descriptor, offset = 0): Promise<Buffer> =>
  readCapped(await source.openFrom(descriptor, offset), 1e9, 'test');

describe('a layer that is kept elsewhere', () => {
  it('is fetched from where its descriptor says, and nobody there is told who asks', async () => {
    const place = await elsewhere();
    const auth = { kind: 'basic', username: 'me', password: 'secret' } as const;
    const there = await lacking([`${place.origin}/layer?sig=x`], { auth });
    const credentials = { get: async () => ({ kind: 'password', username: 'me', password: 'secret' }) as const };
    const source = reader(there, { hosts: [place.origin] }, { credentials });
    const store = await openStore(join(await tempDir(), 'store'));
    onTestFinished(() => store.close());
    await copyImage(source, there.image, store, { name: 'app:1' });
    expect((await readCapped(await store.open(there.foreign), 1e9, 'layer')).equals(layer.bytes)).toBe(true);
    expect(place.requests.map(({ url }) => url)).toEqual(['/layer?sig=x']);
    expect(place.requests[0]!.headers.authorization).toBeUndefined();
    expect(place.requests[0]!.headers.cookie).toBeUndefined();
  });

  it('is left out unless that is asked for, and whoever insists is told how', async () => {
    const place = await elsewhere();
    const there = await lacking([`${place.origin}/layer`]);
    const source = reader(there);
    const store = await openStore(join(await tempDir(), 'store'));
    onTestFinished(() => store.close());
    await copyImage(source, there.image, store, { name: 'app:1' });
    expect(await store.has(there.foreign)).toBe(false);
    for (const from of [source, store]) {
      const failure = await from.openFrom(there.foreign, 0).catch(error => error);
      expect(failure.code).toBe('BLOB_NOT_FOUND');
      expect(failure.hint).toContain('--foreign-layers');
    }
    expect(place.requests).toEqual([]);
  });

  it('comes from the registry where that has it', async () => {
    const place = await elsewhere();
    const there = await lacking([`${place.origin}/layer`]);
    there.server.content.putBlob('app/one', layer.bytes);
    expect((await read(reader(there, { hosts: [place.origin] }), there.foreign)).equals(layer.bytes)).toBe(true);
    expect(place.requests).toEqual([]);
  });

  it.each([
    ['plain HTTP', (origin: string) => origin],
    ['this machine by its address', (origin: string) => origin.replace('http:', 'https:')],
    ['this machine by its name', (origin: string) => origin.replace('http://127.0.0.1', 'https://localhost')],
    ['this machine as a number', (origin: string) => origin.replace('http://127.0.0.1', 'https://2130706433')],
    ['this machine in IPv6', (origin: string) => origin.replace('http://127.0.0.1', 'https://[::ffff:127.0.0.1]')],
    ['the credentials of a cloud', () => 'https://169.254.169.254'],
    ['another scheme', () => 'file:///etc'],
    ['somebody with a password', () => 'https://me:secret@example.com'],
    ['nowhere', () => 'not an address'],
  ])('is not fetched from %s', async (_, address) => {
    const place = await elsewhere();
    const there = await lacking([`${address(place.origin)}/layer`]);
    const failure = await read(reader(there, {}), there.foreign).catch(error => error);
    expect(failure.code).toBe('REMOTE_FILE');
    expect(JSON.stringify([failure.message, failure.details, failure.hint])).not.toContain('secret');
    expect(place.requests).toEqual([]);
  });

  it('is not fetched from where a listed host leads, unless that is listed, too', async () => {
    const inner = await elsewhere();
    const outer = await elsewhere((_, response) =>
      response.writeHead(302, { location: `${inner.origin}/layer` }).end(),
    );
    const there = await lacking([`${outer.origin}/layer`]);
    expect(await codeOf(read(reader(there, { hosts: [outer.origin] }), there.foreign))).toBe('REMOTE_FILE');
    expect(inner.requests).toEqual([]);
    const allowed = reader(there, { hosts: [outer.origin, inner.origin] });
    expect((await read(allowed, there.foreign)).equals(layer.bytes)).toBe(true);
  });

  it('is not asked for through a proxy, which looks names up itself', async () => {
    const proxy = await elsewhere();
    const there = await lacking(['https://example.com/layer']);
    const source = reader(there, { proxy: { https: proxy.origin } });
    expect(await codeOf(read(source, there.foreign))).toBe('REMOTE_FILE');
    expect(proxy.requests).toEqual([]);
  });

  it('goes on where it was when the connection breaks, and when an earlier process had a part', async () => {
    let cut = false;
    const place = await elsewhere((request, response) => {
      if (cut) return serve(layer.bytes)(request, response);
      cut = true;
      response.writeHead(200, { 'content-length': layer.bytes.length }).write(layer.bytes.subarray(0, 100_000), () => {
        setTimeout(() => request.socket.resetAndDestroy(), 50);
      });
    });
    const there = await lacking([`${place.origin}/layer`]);
    const source = reader(there, { hosts: [place.origin] });
    expect((await read(source, there.foreign)).equals(layer.bytes)).toBe(true);
    expect(place.requests[1]!.headers.range).toMatch(/^bytes=\d{2,}-299999$/);
    expect((await read(source, there.foreign, 200_000)).equals(layer.bytes.subarray(200_000))).toBe(true);
  });

  it('is tried at its next address when one fails or lies, and nothing of a lie is kept', async () => {
    const missing = await elsewhere((_, response) => response.writeHead(404).end());
    const lying = await elsewhere(serve(noise(300_000, 2)));
    const endless = await elsewhere((_, response) => {
      const more = (): void =>
        void (response.write(Buffer.alloc(65536)) ? setImmediate(more) : response.once('drain', more));
      more();
    });
    const honest = await elsewhere();
    const all = [missing, lying, endless, honest].map(({ origin }) => origin);
    const there = await lacking(all.map(origin => `${origin}/layer`));
    const store = await openStore(join(await tempDir(), 'store'));
    onTestFinished(() => store.close());
    await copyImage(reader(there, { hosts: all }), there.image, store, { name: 'app:1' });
    expect((await readCapped(await store.open(there.foreign), 1e9, 'layer')).equals(layer.bytes)).toBe(true);

    const lies = await lacking([`${lying.origin}/layer`]);
    const other = await openStore(join(await tempDir(), 'store'));
    onTestFinished(() => other.close());
    const copying = copyImage(reader(lies, { hosts: all }), lies.image, other, { name: 'app:1' });
    expect(await codeOf(copying)).toBe('DIGEST_MISMATCH');
    expect(await other.has(lies.foreign)).toBe(false);
  });

  it('is fetched by commands that are told to, and else left out or named', async () => {
    const place = await elsewhere();
    const { server, foreign } = await lacking([`${place.origin}/layer`]);
    const name = `${server.host}/app/one:1`;
    const cwd = await tempDir();
    const copy = ['copy', '-q', `docker://${name}`];
    await cli([...copy, 'oci:without:1'], { cwd });
    expect(place.requests).toEqual([]);
    const insisting = await runCli([...copy, '--allow-nondistributable-artifacts', 'oci:x:1'], { cwd });
    expect(insisting.code).toBe(1);
    expect(insisting.stderr).toContain(foreign.digest);
    expect(insisting.stderr).toContain('--foreign-layers');
    const unlisted = await runCli([...copy, '--foreign-layers', 'oci:y:1'], { cwd });
    expect(unlisted.code).toBe(1);
    expect(unlisted.stderr).toContain(`--foreign-layer-host ${place.origin}`);
    for (const args of [
      [...copy, '--foreign-layer-host', place.origin, 'oci:with:1'],
      ['pull', '-q', '--foreign-layers', '--foreign-layer-host', place.origin, name],
    ]) {
      place.requests.length = 0;
      await cli(args, { cwd });
      expect(place.requests).toHaveLength(1);
    }
    expect(await readFile(join(cwd, 'with/blobs', foreign.digest.replace(':', '/')))).toEqual(layer.bytes);
  });

  it.each(['', 'a/b', 'ftp://x', 'http://me:secret@x', 'x?y'])('may not come from "%s"', host => {
    expect(() => new ForeignLayers({ hosts: [host] })).toThrowError(expect.objectContaining({ code: 'INVALID_VALUE' }));
  });
});
