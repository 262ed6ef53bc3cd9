import { Agent } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { copyImage } from '../../../src/content/copy.js';
import { validateImage } from '../../../src/image/validate.js';
import { openStore, type Store } from '../../../src/store/store.js';
import type { RegistryServer } from '../../../src/testing/registry-server.js';
import type { RegistryEndpoint } from '../../../src/transport/registry/client.js';
import { type Http2Front, http2Front } from '../../support/http2-front.js';
import { tempDir } from '../../support/temp-dir.js';
import { putImage, type SampleImage, sampleImage } from '../sample-image.js';
import { codeOf, connect, startRegistry } from './connected.js';

async function newStore(): Promise<Store> {
  const store = await openStore(await tempDir());
  onTestFinished(() => store.close());
  return store;
}

/** A client that speaks HTTP/2, by an agent of its user. */
function speaking2(front: Http2Front, access: 'pull' | 'push'): RegistryEndpoint {
  const dispatcher = new Agent({ allowH2: true, connect: { rejectUnauthorized: false } });
  onTestFinished(() => dispatcher.destroy());
  return connect(front, 'app/one:1', { access, dispatcher });
}

async function holding(image: SampleImage): Promise<RegistryServer> {
  const server = await startRegistry({ uploadLocation: 'relative' });
  for (const { bytes } of [...image.layers, image.config]) server.content.putBlob('app/one', bytes);
  server.content.putManifest('app/one', '1', image.manifest.descriptor.mediaType, image.manifest.bytes);
  return server;
}

const faults = ['goaway-before', 'goaway-during', 'goaway-after', 'reset', 'refuse'] as const;

describe('a registry behind HTTP/2, with an agent that speaks it', () => {
  it.each(faults)('is pulled from through %s', async fault => {
    const image = await sampleImage(1, 3_000_000);
    const front = await http2Front({ behind: (await holding(image)).host, maxStreams: 2 });
    front.inject('GET', /blobs/, fault);
    front.inject('GET', /blobs/, fault);
    const source = speaking2(front, 'pull');
    const store = await newStore();
    await copyImage(source, await source.resolve('1'), store);
    await validateImage(store, image.manifest.descriptor);
    expect(front.pending()).toBe(0);
    expect(front.requests.every(line => line.startsWith('2.0 '))).toBe(true);
  });

  it.each(faults)('is pushed to through %s', async fault => {
    const image = await sampleImage(2, 3_000_000);
    const server = await startRegistry({ uploadLocation: 'relative' });
    const front = await http2Front({ behind: server.host });
    front.inject('PUT', /uploads/, fault);
    front.inject('POST', /uploads/, fault);
    await putImage(speaking2(front, 'push'), image, '1');
    expect(front.pending()).toBe(0);
    for (const { descriptor, bytes } of image.layers) {
      expect(server.content.blob('app/one', descriptor.digest)?.equals(bytes)).toBe(true);
    }
    expect(server.content.openUploads).toBe(0);
  });
});

describe('HTTP/1.1', () => {
  it('is spoken with a registry that offers both', async () => {
    const image = await sampleImage(3, 300_000);
    const front = await http2Front({ behind: (await holding(image)).host });
    const source = connect(front, 'app/one:1', { access: 'pull', insecure: true });
    const store = await newStore();
    await copyImage(source, await source.resolve('1'), store);
    await validateImage(store, image.manifest.descriptor);
    expect(front.requests.every(line => line.startsWith('1.1 '))).toBe(true);
  });

  it('is missed with a reason where a registry speaks nothing but HTTP/2', async () => {
    const front = await http2Front({ behind: '127.0.0.1:1', http1: false });
    const source = connect(front, 'app/one:1', { access: 'pull', insecure: true });
    const error = (await source.resolve('1').catch(error => error)) as Error & { hint?: string };
    expect(await codeOf(Promise.reject(error))).toBe('REGISTRY_UNREACHABLE');
    expect(error.hint).toContain('HTTP/1.1');
    expect(front.requests).toEqual([]);
  });
});
