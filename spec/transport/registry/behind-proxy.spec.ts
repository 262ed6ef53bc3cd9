import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseReference } from '../../../src/oci/reference.js';
import type { RegistryServer } from '../../../src/testing/registry-server.js';
import { type Endpoint, openLocation, type RegistryAccessOptions } from '../../../src/transport/open.js';
import { copied } from '../../support/copied.js';
import { MemoryContent } from '../../support/memory-content.js';
import { type ProxyServer, proxyServer } from '../../support/proxy-server.js';
import { selfSigned } from '../../support/self-signed.js';
import { tempDir } from '../../support/temp-dir.js';
import { putImage, type SampleImage, sampleImage } from '../sample-image.js';
import { codeOf, startRegistry } from './connected.js';

/** Speaks TLS, and with nobody who shows no certificate of its authority. */
const mutual = { tls: { ...selfSigned, ca: selfSigned.cert, requestCert: true }, uploadLocation: 'relative' } as const;

const portOf = ({ host }: RegistryServer): number => Number(host.split(':')[1]);

function fill(server: RegistryServer, repository: string, image: SampleImage): void {
  for (const { bytes } of [...image.layers, image.config]) server.content.putBlob(repository, bytes);
  server.content.putManifest(repository, '1', image.manifest.descriptor.mediaType, image.manifest.bytes);
}

async function proxied(hosts: Readonly<Record<string, number>>): Promise<ProxyServer> {
  const proxy = await proxyServer({ hosts });
  onTestFinished(() => proxy.close());
  return proxy;
}

async function open(
  name: string,
  registry: RegistryAccessOptions,
  access: 'read' | 'write' = 'read',
): Promise<Endpoint> {
  const location = { transport: 'registry', reference: parseReference(name) } as const;
  const endpoint = await openLocation(location, { access, registry });
  onTestFinished(() => endpoint.close());
  return endpoint;
}

/** What each form of settings writes to say that `registry.example` has a mirror, and what both are to be shown. */
const forms: ReadonlyArray<readonly [string, Readonly<Record<string, string>>, string | undefined]> = [
  [
    'a file of our own',
    {
      'settings/lading.json': JSON.stringify({
        registries: {
          'registry.example': {
            ...{ ca: '../ca.pem', clientCertificate: '../me.pem', clientKey: '../me.key' },
            mirrors: [
              {
                location: 'files.example/cache',
                ca: '../ca.pem',
                clientCertificate: '../me.pem',
                clientKey: '../me.key',
              },
            ],
          },
        },
      }),
    },
    'settings/lading.json',
  ],
  [
    'registries.conf with certs.d',
    {
      'etc/containers/registries.conf':
        '[[registry]]\nlocation = "registry.example"\n[[registry.mirror]]\nlocation = "files.example/cache"\n',
      ...Object.fromEntries(
        ['registry.example', 'files.example'].flatMap(host => [
          [`etc/containers/certs.d/${host}/ca.crt`, selfSigned.cert],
          [`etc/containers/certs.d/${host}/me.cert`, selfSigned.cert],
          [`etc/containers/certs.d/${host}/me.key`, selfSigned.key],
        ]),
      ),
    },
    undefined,
  ],
  [
    'hosts.toml',
    {
      'etc/containerd/certs.d/registry.example/hosts.toml': `
server = "https://registry.example"
ca = "../../../../ca.pem"
client = [["../../../../me.pem", "../../../../me.key"]]
[host."https://files.example/v2/cache"]
  capabilities = ["pull", "resolve"]
  override_path = true
  ca = "../../../../ca.pem"
  client = [["../../../../me.pem", "../../../../me.key"]]
`,
    },
    undefined,
  ],
];

describe('through a tunnel, to servers that want certificates', () => {
  it.each(forms)('%s leads to a mirror below a path, and behind it to the registry', async (_, files, named) => {
    const folder = await tempDir();
    const pems = { 'ca.pem': selfSigned.cert, 'me.pem': selfSigned.cert, 'me.key': selfSigned.key };
    for (const [name, text] of Object.entries({ ...pems, ...files })) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    const origin = await startRegistry(mutual);
    const mirror = await startRegistry(mutual);
    const proxy = await proxied({ 'registry.example': portOf(origin), 'files.example': portOf(mirror) });
    const access: RegistryAccessOptions = {
      env: { HOME: join(folder, 'home') },
      etc: join(folder, 'etc'),
      proxy: { https: proxy.url },
      registryConfig: named && join(folder, named),
      retries: 0,
    };
    const image = await sampleImage();
    const name = 'registry.example/app/one:1';
    await putImage(await open(name, access, 'write'), image, '1');
    expect(mirror.requests).toEqual([]);
    fill(mirror, 'cache/app/one', image);
    origin.requests.length = 0;
    const pull = async (): Promise<void> => {
      const from = await open(name, access);
      await copied(from, await from.resolve('1'), new MemoryContent(), { name: '1' });
    };
    await pull();
    expect(origin.requests).toEqual([]);
    expect(mirror.log().every(line => line.includes(' /v2/cache/app/one/'))).toBe(true);
    // What the mirror does not have comes from the registry.
    const [layer] = image.layers;
    mirror.content.deleteBlob('cache/app/one', layer!.descriptor.digest);
    await pull();
    expect(origin.log()).toEqual([`GET /v2/app/one/blobs/${layer!.descriptor.digest}`]);
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT registry.example:443', 'CONNECT files.example:443']));
    // Whoever has no certificate is not spoken to.
    const bare = { proxy: { https: proxy.url }, retries: 0 };
    expect(await codeOf((await open(name, bare)).resolve('1'))).toBe('REGISTRY_UNREACHABLE');
  });
});

describe('a registry that speaks plain HTTP', () => {
  it('is asked through the proxy by whole addresses, when settings say that it may', async () => {
    const server = await startRegistry({ uploadLocation: 'relative' });
    const proxy = await proxied({ 'plain.example': portOf(server) });
    const registryConfig = join(await tempDir(), 'config.json');
    await writeFile(registryConfig, JSON.stringify({ registries: { 'plain.example': { plainHttp: true } } }));
    const access = { proxy: { http: proxy.url, https: proxy.url }, registryConfig };
    const image = await sampleImage();
    const name = 'plain.example/app/one:1';
    await putImage(await open(name, access, 'write'), image, '1');
    expect(await (await open(name, access)).resolve('1')).toEqual(image.manifest.descriptor);
    expect(proxy.asked.every(line => / http:\/\/plain\.example\/v2\//.test(line))).toBe(true);
    expect(server.log().length).toBeGreaterThan(3);
  });
});
