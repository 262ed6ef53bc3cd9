import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseReference } from '../../../src/oci/reference.js';
import { readCapped } from '../../../src/stream/read-capped.js';
import type { RegistryServer } from '../../../src/testing/registry-server.js';
import { type Endpoint, openLocation, type RegistryAccessOptions } from '../../../src/transport/open.js';
import { copied } from '../../support/copied.js';
import { MemoryContent } from '../../support/memory-content.js';
import { tempDir } from '../../support/temp-dir.js';
import { putImage, type SampleImage, sampleImage } from '../sample-image.js';
import { connect, startRegistry } from './connected.js';

const always = Number.POSITIVE_INFINITY;
const secrets = { mirror: 'secret of the mirror', origin: 'secret of the origin' } as const;

interface Setting {
  readonly origin: RegistryServer;
  readonly mirror: RegistryServer;
  readonly image: SampleImage;
  readonly warnings: string[];
  open(access?: 'read' | 'write', more?: RegistryAccessOptions): Promise<Endpoint>;
}

/** A registry, and another one that has what lies below its `cache`; both ask for passwords of their own. */
async function mirrored({ filled = true, how = {} as Record<string, unknown> } = {}): Promise<Setting> {
  const account = (password: string) => ({ kind: 'basic', username: 'user', password }) as const;
  const origin = await startRegistry({ auth: account(secrets.origin) });
  const mirror = await startRegistry({ auth: account(secrets.mirror) });
  const { host } = mirror;
  const credentials = {
    get: async (registry: string) => {
      const password = registry === host ? secrets.mirror : secrets.origin;
      return { kind: 'password', username: 'user', password } as const;
    },
  };
  const image = await sampleImage();
  await putImage(connect(origin, 'app/one:1', { credentials }), image, '1');
  if (filled) await putImage(connect(mirror, 'cache/app/one:1', { credentials }), image, '1');
  const registryConfig = join(await tempDir(), 'config.json');
  const mirrors = [{ location: `${mirror.host}/cache`, ...how }];
  await writeFile(registryConfig, JSON.stringify({ registries: { [origin.host]: { mirrors } } }));
  for (const server of [origin, mirror]) server.requests.length = 0;
  const warnings: string[] = [];
  return {
    origin,
    mirror,
    image,
    warnings,
    async open(access = 'read', more = {}) {
      const reference = parseReference(`${origin.host}/app/one:1`);
      const registry = { credentials, registryConfig, onWarning: (text: string) => warnings.push(text), ...more };
      const endpoint = await openLocation({ transport: 'registry', reference }, { access, registry });
      onTestFinished(() => endpoint.close());
      return endpoint;
    },
  };
}

async function pull(from: Endpoint, image: SampleImage): Promise<void> {
  const descriptor = await from.resolve('1');
  expect(descriptor).toEqual(image.manifest.descriptor);
  const target = new MemoryContent();
  await copied(from, descriptor, target, { name: '1' });
  for (const { descriptor: blob, bytes } of image.blobs) {
    expect((await readCapped(await target.open(blob), 1e8, 'blob')).equals(bytes)).toBe(true);
  }
}

describe('mirrors', () => {
  it('are asked instead of the registry, with their own credentials', async () => {
    const { origin, mirror, image, warnings, open } = await mirrored();
    await pull(await open(), image);
    expect(origin.requests).toEqual([]);
    expect(mirror.log().every(line => line.includes('/v2/cache/app/one/'))).toBe(true);
    expect(mirror.problems).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('are never written to', async () => {
    const { origin, mirror, open } = await mirrored();
    const other = await sampleImage(2);
    await putImage(await open('write'), other, '2');
    expect(origin.log().filter(line => line.startsWith('PUT'))).not.toEqual([]);
    expect(mirror.log().filter(line => !/^(?:GET|HEAD) /.test(line))).toEqual([]);
  });

  it('are no reason not to write what they have', async () => {
    const { origin, mirror, open } = await mirrored();
    const account = { kind: 'basic', username: 'user', password: secrets.mirror } as const;
    const other = await sampleImage(2);
    const credentials = { get: async () => ({ ...account, kind: 'password' }) as const };
    await putImage(connect(mirror, 'cache/app/one:2', { credentials }), other, '2');
    mirror.requests.length = 0;
    await putImage(await open('write'), other, '2');
    const blobs = other.blobs.filter(({ descriptor }) => descriptor !== other.manifest.descriptor);
    expect(blobs.length).toBeGreaterThan(1);
    for (const { descriptor } of blobs) {
      expect(origin.content.blob('app/one', descriptor.digest)).toBeDefined();
    }
    expect(mirror.requests).toEqual([]);
  });

  it('need not have anything', async () => {
    const { origin, image, warnings, open } = await mirrored({ filled: false });
    await pull(await open(), image);
    expect(origin.requests).not.toEqual([]);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['tags', /manifests\/1$/, /sha256:/],
    ['digests', /sha256:/, /manifests\/1$/],
  ] as const)('are asked for %s alone when they are for that', async (wanted, asked, notAsked) => {
    const { mirror, image, open } = await mirrored({ how: { for: wanted } });
    await pull(await open(), image);
    expect(mirror.log().some(line => asked.test(line))).toBe(true);
    expect(mirror.log().some(line => notAsked.test(line))).toBe(false);
  });

  it.each([
    ['fails', { kind: 'answer', status: 500 }],
    ['refuses', { kind: 'answer', status: 403 }],
    ['resets', { kind: 'reset' }],
    ['sends something else', { kind: 'answer', status: 200, body: '{"schemaVersion":2}' }],
  ] as const)('are told of once, and left alone, when one %s', async (_, fault) => {
    const { mirror, image, warnings, open } = await mirrored();
    mirror.inject({ path: /sha256:/, times: always }, fault);
    await pull(await open(), image);
    expect(warnings.filter(text => text.startsWith(`${mirror.host}: the mirror is left alone`))).toHaveLength(1);
  });

  it('are left alone when nobody answers there', async () => {
    const { mirror, image, warnings, open } = await mirrored();
    await mirror.stop();
    await pull(await open(), image);
    expect(warnings.filter(text => text.includes('the mirror is left alone'))).toHaveLength(1);
  });

  it('that refuse the credentials do not get those of the registry', async () => {
    const { mirror, image, open } = await mirrored();
    mirror.accounts.changePassword('another one');
    await pull(await open(), image);
    expect(mirror.requests.some(({ status }) => status === 401)).toBe(true);
  });

  it.each(['basic', 'token'] as const)('get no credentials that are for the registry (%s)', async kind => {
    const password = secrets.origin;
    const origin = await startRegistry({ auth: { kind, username: 'user', password } });
    const mirror = await startRegistry({ auth: { kind: 'basic', username: 'user', password } });
    const asked: string[] = [];
    const credentials = {
      get: async (registry: string) => {
        asked.push(registry);
        return registry === origin.host ? ({ kind: 'password', username: 'user', password } as const) : undefined;
      },
    };
    const image = await sampleImage();
    await putImage(connect(origin, 'app/one:1', { credentials }), image, '1');
    const registryConfig = join(await tempDir(), 'config.json');
    const registries = { [origin.host]: { mirrors: [{ location: `${mirror.host}/cache` }] } };
    await writeFile(registryConfig, JSON.stringify({ registries }));
    const location = { transport: 'registry', reference: parseReference(`${origin.host}/app/one:1`) } as const;
    const from = await openLocation(location, { access: 'read', registry: { credentials, registryConfig } });
    onTestFinished(() => from.close());
    await pull(from, image);
    expect(mirror.requests.length).toBeGreaterThan(1);
    expect(new Set(mirror.requests.map(({ authorization }) => authorization))).toEqual(new Set(['none']));
    expect(asked).toContain(mirror.host);
  });

  it('whose large blobs are not right cost one more download, from the registry', async () => {
    const { origin, mirror, image, warnings, open } = await mirrored();
    const other = await sampleImage(3, 6_000_000);
    await putImage(await open('write'), other, '2');
    const large = other.blobs.find(({ descriptor }) => descriptor.size > 4_194_304)!;
    const body = 'x'.repeat(large.bytes.length);
    mirror.inject({ path: new RegExp(large.descriptor.digest), times: always }, { kind: 'answer', status: 200, body });
    const from = await open();
    const target = new MemoryContent();
    origin.requests.length = 0;
    await copied(from, other.manifest.descriptor, target, { name: '2' });
    const right = await readCapped(await target.open(large.descriptor), 1e8, 'blob');
    expect(right.equals(large.bytes)).toBe(true);
    const again = origin.log().filter(line => line.startsWith('GET') && line.endsWith(large.descriptor.digest));
    expect(again).toHaveLength(1);
    expect(warnings.filter(text => text.includes('the mirror is left alone'))).toHaveLength(1);
    await pull(from, image);
  });
});
