import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildImageOptions } from '../../src/api/build-image.js';
import { digestOf } from '../../src/oci/digest.js';
import { openStore, type Store } from '../../src/store/store.js';
import { built, writeFiles } from '../support/building.js';
import { tempDir } from '../support/temp-dir.js';
import { type WebServer, webServer } from '../support/web-server.js';

let folder: string;
let store: Store;
let server: WebServer;
const digests = new Map<string, string>();

beforeAll(async () => {
  folder = await tempDir();
  store = await openStore(join(folder, 'store'));
  const text = 'FROM scratch\nLABEL from=web\n';
  server = await webServer((request, response) => {
    response.end(request.url === '/Dockerfile' ? text : 'content');
  });
  digests.set('Dockerfile', digestOf(text));
  for (const name of ['base', 'other', 'unused']) {
    const result = await built('', writeFiles(join(folder, name), { Dockerfile: `FROM scratch\nCOPY . /${name}/\n` }), {
      store,
      tags: [`${name}:1`],
    });
    digests.set(name, result.descriptor.digest);
  }
});

afterAll(async () => {
  await server.close();
  await store.close();
});

/** What a build says that it was made from: addresses with their digests, and the folders. */
async function made(dockerfile: string, options: Partial<BuildImageOptions> = {}) {
  const context = writeFiles(join(folder, 'context'), { file: 'x', 'more/file': 'y' });
  const text = dockerfile.replaceAll('URL', server.url);
  const { images } = await built('', context, { store, pull: 'missing', dockerfileText: text, ...options });
  const { materials, invocation } = images[0]!.provenance as {
    materials?: ReadonlyArray<{ uri: string; digest: { sha256: string } }>;
    invocation: { parameters: { locals?: ReadonlyArray<{ name: string }> }; configSource: object };
  };
  return {
    materials: (materials ?? []).map(({ uri, digest }) => `${uri} sha256:${digest.sha256}`.replace(server.url, 'URL')),
    locals: (invocation.parameters.locals ?? []).map(({ name }) => name),
    source: invocation.configSource,
  };
}

const amd64 = '?platform=linux%2Famd64';

describe('what a build was made from', () => {
  it('is every image and address that the target needs, once, in one order', async () => {
    const { materials, locals } = await made(
      [
        'FROM base:1 AS first',
        'COPY --from=other:1 /other /other/',
        'FROM unused:1',
        'FROM base:1',
        'COPY --from=first /other /',
        'ADD URL/a?token=secret /a',
        'ADD URL/a?token=secret URL/b /d/',
      ].join('\n'),
    );
    expect(materials).toEqual([
      `URL/a?token=REDACTED ${digestOf('content')}`,
      `URL/b ${digestOf('content')}`,
      `pkg:docker/base@1${amd64} ${digests.get('base')}`,
      `pkg:docker/other@1${amd64} ${digests.get('other')}`,
    ]);
    expect(locals).toEqual(['dockerfile']);
  });

  it('calls images that stand in for others by the name of what they are', async () => {
    const layout = `oci-layout://${store.root}@${digests.get('other')}`;
    const buildContexts = { 'debian:12': 'docker-image://base:1', mine: layout, folder: './more' };
    const text = 'FROM debian:12\nCOPY --from=mine /other /\nCOPY --from=folder file /\n';
    const { materials, locals } = await made(text, { buildContexts });
    expect(materials).toEqual([
      `pkg:docker/base@1${amd64} ${digests.get('base')}`,
      `pkg:oci/mine${amd64} ${digests.get('other')}`,
    ]);
    expect(locals).toEqual(['folder', 'dockerfile']);
  });

  it('has the folders that files were taken of', async () => {
    expect((await made('FROM scratch\nCOPY file /\n')).locals).toEqual(['context', 'dockerfile']);
    expect((await made('FROM scratch\nCOPY <<A /a\nA\nADD URL/a /b\n')).locals).toEqual(['dockerfile']);
    const buildContexts = { folder: './more' };
    expect((await made('FROM folder\n', { buildContexts })).locals).toEqual(['folder', 'dockerfile']);
  });

  it('has the address of a context', async () => {
    const context = `${server.url.replace('//', '//user:secret@')}/Dockerfile`;
    const { images } = await built('', context, { store, pull: 'missing' });
    const text = JSON.stringify(images[0]!.provenance);
    expect(text).not.toContain('secret');
    const source = { uri: `${server.url}/Dockerfile`, digest: { sha256: digests.get('Dockerfile')!.slice(7) } };
    expect(images[0]!.provenance).toMatchObject({
      materials: [source],
      invocation: { configSource: { ...source, entryPoint: 'Dockerfile' }, parameters: { frontend: 'dockerfile.v0' } },
    });
  });
});
