import { Agent } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type RegistryClientOptions, registryClient } from '../../src/api/registry-client.js';
import { readCapped } from '../../src/stream/read-capped.js';
import { codeOf, startRegistry } from '../transport/registry/connected.js';
import { blobOf, noise, putBlob, putImage, sampleImage } from '../transport/sample-image.js';

function open(options: RegistryClientOptions) {
  const client = registryClient(options);
  onTestFinished(() => client.close());
  return client;
}

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of list) found.push(each);
  return found;
}

describe('a client of a registry', () => {
  it('lists, looks at and changes what is there', async () => {
    const server = await startRegistry({ entriesPerPage: 1 });
    const client = open({ registry: server.host });
    const repository = await client.repository('team/app');
    const image = await sampleImage();
    await putImage(repository, image, '1');
    await repository.tag(image.manifest.descriptor, '2');
    expect(await all(client.repositories())).toEqual(['team/app']);
    expect(await client.search('app')).toEqual([{ name: 'team/app' }]);
    expect(await all(repository.tags())).toEqual(['1', '2']);
    const layer = image.layers[0]!;
    const found = await repository.findBlob(layer.descriptor.digest);
    expect(found.size).toBe(layer.bytes.length);
    expect((await readCapped(await repository.open(found), 1e6, 'blob')).equals(layer.bytes)).toBe(true);
    await repository.delete('1');
    expect(await all(repository.tags())).toEqual(['2']);
    expect(await codeOf(client.repository('No'))).toBe('INVALID_VALUE');
  });

  it('stops when it is told to', async () => {
    const server = await startRegistry();
    const repository = await open({ registry: server.host }).repository('app');
    server.inject({ path: /tags/ }, { kind: 'hang' });
    const controller = new AbortController();
    const listed = all(repository.tags({ signal: controller.signal }));
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(listed).rejects.toThrow('enough');
  });

  it('tells programs what it tries again', async () => {
    const server = await startRegistry();
    const events: string[] = [];
    const client = open({ registry: server.host, onEvent: ({ kind }) => events.push(kind) });
    server.inject({ path: /tags/ }, { kind: 'answer', status: 503, headers: { 'retry-after': '0' } });
    const repository = await client.repository('app');
    await putBlob(repository, blobOf(noise(10)));
    await all(repository.tags());
    expect(events).toEqual(['registry-retry']);
  });

  it('goes through the dispatcher that it is given, and leaves it open', async () => {
    const server = await startRegistry();
    const agent = new Agent();
    onTestFinished(() => agent.destroy());
    const asked: string[] = [];
    const dispatcher = {
      request: (...args: Parameters<Agent['request']>) => {
        asked.push(String(args[0].path));
        return agent.request(...args);
      },
    } as Pick<Agent, 'request'>;
    const client = registryClient({ registry: server.host, dispatcher });
    const repository = await client.repository('app');
    await putBlob(repository, blobOf(noise(10)));
    await client.close();
    // The first one is for TLS, which this registry does not speak.
    expect(asked.slice(1)).toEqual(server.requests.map(({ path }) => path));
    expect((await agent.request({ origin: `http://${server.host}`, path: '/v2/', method: 'GET' })).statusCode).toBe(
      200,
    );
  });
});
