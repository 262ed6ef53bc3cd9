import { join } from 'node:path';
import { RegistryServer, type RegistryServerOptions } from '../../src/testing/registry-server.js';
import { type Endpoint, openLocation } from '../../src/transport/open.js';
import type { RegistryOptions } from '../../src/transport/registry/client.js';
import { openRegistry } from '../../src/transport/registry/client.js';
import { type ContentUnderTest, describeContent } from '../support/content-suite.js';
import { tempDir } from '../support/temp-dir.js';

const user = { username: 'user', password: 'correct horse' } as const;

const registries: ReadonlyArray<readonly [string, RegistryServerOptions, Partial<RegistryOptions>]> = [
  ['a registry', {}, {}],
  ['a registry, in pieces,', { uploadLocation: 'relative' }, { chunkSizeBytes: 1024 * 1024 }],
  [
    'a registry with tokens and a storage elsewhere',
    { auth: { kind: 'token', ...user }, redirectBlobs: true, uploadLocation: 'elsewhere' },
    { credentials: { get: async () => ({ kind: 'password', ...user }) } },
  ],
];

for (const [name, serverOptions, clientOptions] of registries) {
  describeContent(name, async () => {
    const server = await RegistryServer.start(serverOptions);
    const opened: Endpoint[] = [];
    const open = (): Endpoint => {
      const reference = { registry: server.host, repository: 'app/one', tag: 'v1' };
      const endpoint = openRegistry({ reference, access: 'push', ...clientOptions });
      opened.push(endpoint);
      return endpoint;
    };
    return {
      content: open(),
      reopen: async () => open(),
      close: async () => {
        await Promise.all(opened.map(endpoint => endpoint.close()));
        await server.stop();
      },
    };
  });
}

describeContent('a layout', async () => {
  const location = { transport: 'oci-layout', path: join(await tempDir(), 'layout') } as const;
  const open = (): Promise<Endpoint> => openLocation(location, { access: 'write' });
  return { content: await open(), reopen: open };
});

describeContent('an OCI archive', async (): Promise<ContentUnderTest> => {
  const location = { transport: 'oci-archive', path: join(await tempDir(), 'image.tar') } as const;
  const content = await openLocation(location, { access: 'write' });
  const opened = [content];
  return {
    content,
    reopen: async () => {
      await content.close();
      const source = await openLocation(location, { access: 'read' });
      opened.push(source);
      return source;
    },
    close: async () => {
      await Promise.all(opened.map(endpoint => endpoint.abort()));
    },
  };
});

describeContent('a Docker archive', async () => {
  const location = { transport: 'docker-archive', path: join(await tempDir(), 'image.tar') } as const;
  const content = await openLocation(location, { access: 'write' });
  return { content, close: () => content.abort() };
});
