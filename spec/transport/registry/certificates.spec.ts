import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { isLadingError } from '../../../src/errors/errors.js';
import { parseReference } from '../../../src/oci/reference.js';
import { openLocation } from '../../../src/transport/open.js';
import { certificatePlaces } from '../../../src/transport/registry/certificate-places.js';
import { type Certificates, openCertificates } from '../../../src/transport/registry/certificates.js';
import { proxyServer } from '../../support/proxy-server.js';
import { selfSigned } from '../../support/self-signed.js';
import { tempDir } from '../../support/temp-dir.js';
import { putImage, sampleImage } from '../sample-image.js';
import { codeOf, connect, startRegistry } from './connected.js';

let folder: string;
beforeEach(async () => {
  folder = await tempDir();
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

function known(env: Readonly<Record<string, string>> = {}): Certificates {
  return openCertificates(certificatePlaces({ env: { HOME: join(folder, 'home'), ...env }, etc: join(folder, 'etc') }));
}

/** As much of a certificate as is looked at before TLS is spoken. */
const pem = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n`;

describe('certificates of hosts', () => {
  it('are those of exactly this host, the user before the machine', async () => {
    await write({
      'home/.config/containers/certs.d/a.example/one.crt': pem('1'),
      'etc/containers/certs.d/a.example:443/two.crt': pem('2'),
      'etc/docker/certs.d/a.example/three.crt': pem('3'),
      'etc/docker/certs.d/a.example/client.cert': selfSigned.cert,
      'etc/docker/certs.d/a.example/client.key': selfSigned.key,
      'etc/docker/certs.d/a.example/notes.txt': 'x',
      'etc/docker/certs.d/a.example:5000/four.crt': pem('4'),
      'etc/containerd/certs.d/a.example/hosts.toml': '',
      'etc/containers/certs.d/docker.io/hub.crt': pem('hub'),
    });
    expect(await known().ofHost('a.example')).toEqual({
      authorities: ['1', '2', '3'].map(pem),
      client: { certificate: selfSigned.cert, key: selfSigned.key },
    });
    expect(await known().ofHost('a.example:5000')).toEqual({ authorities: [pem('4')] });
    expect((await known().ofHost('registry-1.docker.io')).authorities).toEqual([pem('hub')]);
    for (const host of ['b.example', 'a.example:5001', 'xa.example', '..', '.', '../a.example']) {
      expect(await known().ofHost(host)).toEqual({ authorities: [] });
    }
  });

  it('come with the authorities of the environment', async () => {
    await write({ 'all.pem': 'all', 'extra.pem': 'extra' });
    const env = { SSL_CERT_FILE: join(folder, 'all.pem'), NODE_EXTRA_CA_CERTS: join(folder, 'extra.pem') };
    expect(await known(env).forAll()).toEqual(['all', 'extra']);
    expect(await known({ SSL_CERT_FILE: join(folder, 'none') }).forAll()).toEqual([]);
  });

  it.each(['client.cert', 'client.key'])('are refused with a %s alone', async name => {
    await write({ [`etc/docker/certs.d/a.example/${name}`]: 'x' });
    expect(await codeOf(known().ofHost('a.example'))).toBe('CREDENTIALS');
  });

  it.each([
    [{ 'own.crt': 'DER' }, 'own.crt'],
    [{ 'me.cert': selfSigned.cert, 'me.key': 'secret' }, 'me.cert'],
  ])('are refused when they are none: %j', async (files, name) => {
    const server = await startRegistry({ tls: selfSigned });
    const own = join(folder, 'etc/docker/certs.d', server.host);
    for (const [file, text] of Object.entries(files))
      await write({ [`etc/docker/certs.d/${server.host}/${file}`]: text });
    const error = await connect(server, 'app/one:1', { certificates: known() })
      .resolve('1')
      .catch(error => error);
    expect(isLadingError(error, 'CREDENTIALS') && error.details).toEqual({ source: join(own, name) });
    expect(error.message).not.toContain('secret');
    expect(server.requests).toEqual([]);
  });

  it('are not read where no certificate is checked', async () => {
    const asked: string[] = [];
    const told: Certificates = {
      ofHost: async host => {
        asked.push(host);
        return { authorities: [] };
      },
      forAll: () => Promise.reject(new Error('read for all hosts')),
    };
    const image = await sampleImage();
    const plain = await startRegistry();
    await putImage(connect(plain, 'app/one:1', { scheme: 'http', certificates: told }), image, '1');
    expect(asked).toEqual([]);
    // TLS is tried there first, so that what is named for this very host counts.
    await putImage(connect(plain, 'app/one:2', { certificates: told }), image, '2');
    const tls = await startRegistry({ tls: selfSigned });
    await putImage(connect(tls, 'app/one:1', { certificates: told }), image, '1');
    expect(asked).toEqual([plain.host, tls.host]);
    const error = await connect({ host: 'registry.example' }, 'app/one:1', { certificates: told })
      .resolve('1')
      .catch(error => error);
    expect(String(error.cause)).toContain('read for all hosts');
  });

  it('are read from files of the settings when their place is asked', async () => {
    const server = await startRegistry({ tls: selfSigned });
    const settings = {
      registries: {
        [server.host]: { ca: 'own.pem' },
        'a.example': { mirrors: [{ location: server.host, ca: 'own.pem' }] },
      },
    };
    await write({ 'lading.json': JSON.stringify(settings) });
    const open = async (name: string, access: 'read' | 'write') => {
      const location = { transport: 'registry', reference: parseReference(`${name}/app/one:1`) } as const;
      const registry = { registryConfig: join(folder, 'lading.json') };
      const endpoint = await openLocation(location, { access, registry });
      onTestFinished(() => endpoint.close());
      return endpoint;
    };
    for (const name of [server.host, 'a.example']) {
      const absent = await open(name, 'read');
      const error = await absent.resolve('1').catch(error => error);
      expect(isLadingError(error, 'IO') && error.details.path).toBe(join(folder, 'own.pem'));
    }
    expect(server.requests).toEqual([]);
    await write({ 'own.pem': selfSigned.cert });
    await putImage(await open(server.host, 'write'), await sampleImage(), '1');
    expect((await (await open('a.example', 'read')).resolve('1')).digest).toBe(
      (await sampleImage()).manifest.descriptor.digest,
    );
  });

  it('are those that a registry is asked with', async () => {
    const tls = { ...selfSigned, ca: selfSigned.cert, requestCert: true };
    const server = await startRegistry({ tls });
    const open = () => connect(server, 'app/one:1', { certificates: known() });
    const image = await sampleImage();
    const bare = await codeOf(connect(server).resolve('1'));
    expect(bare).toBe('REGISTRY_UNREACHABLE');

    await write({ [`etc/docker/certs.d/${server.host}/own.crt`]: otherAuthority });
    const error = await open()
      .resolve('1')
      .catch(error => error);
    expect(isLadingError(error, 'REGISTRY_UNREACHABLE') && error.hint).toContain('certs.d');

    await write({
      [`etc/docker/certs.d/${server.host}/own.crt`]: selfSigned.cert,
      [`etc/docker/certs.d/${server.host}/me.cert`]: selfSigned.cert,
      [`etc/docker/certs.d/${server.host}/me.key`]: selfSigned.key,
    });
    await putImage(open(), image, '1');
    expect(await open().resolve('1')).toEqual(image.manifest.descriptor);
    expect(server.requests.length).toBeGreaterThan(3);
  });

  it('are those that a registry behind a proxy is asked with', async () => {
    const tls = { ...selfSigned, ca: selfSigned.cert, requestCert: true };
    const server = await startRegistry({ tls, uploadLocation: 'relative' });
    const proxy = await proxyServer({ hosts: { 'registry.example': Number(server.host.split(':')[1]) } });
    onTestFinished(() => proxy.close());
    const here = 'home/.config/containers/certs.d/registry.example';
    const location = { transport: 'registry', reference: parseReference('registry.example/app/one:1') } as const;
    const open = async () => {
      const registry = { env: { HOME: join(folder, 'home') }, proxy: { https: proxy.url } };
      const endpoint = await openLocation(location, { access: 'write', registry });
      onTestFinished(() => endpoint.close());
      return endpoint;
    };
    expect(await codeOf((await open()).resolve('1'))).toBe('REGISTRY_UNREACHABLE');
    await write({ [`${here}/own.crt`]: selfSigned.cert });
    expect(await codeOf((await open()).resolve('1'))).toBe('REGISTRY_UNREACHABLE');
    expect(server.requests).toEqual([]);
    await write({ [`${here}/me.cert`]: selfSigned.cert, [`${here}/me.key`]: selfSigned.key });
    await putImage(await open(), await sampleImage(), '1');
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT registry.example:443']));
  });

  it('of a client are shown to their host alone', async () => {
    const other = await startRegistry({ tls: { ...selfSigned, ca: selfSigned.cert, requestCert: true } });
    const server = await startRegistry();
    await write({
      [`etc/docker/certs.d/${server.host}/me.cert`]: selfSigned.cert,
      [`etc/docker/certs.d/${server.host}/me.key`]: selfSigned.key,
    });
    const headers = { location: `https://${other.host}/v2/app/one/manifests/1` };
    server.inject({ path: /manifests/, times: 9 }, { kind: 'answer', status: 302, headers });
    const code = await codeOf(connect(server, 'app/one:1', { certificates: known() }).resolve('1'));
    expect([code, other.requests.length]).toEqual(['REGISTRY_UNREACHABLE', 0]);
  });
});

/** Of a certificate that has nothing to do with the servers of these tests. */
const otherAuthority = `-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUe4BA01JBEz11r0VNvxeuEM4AdE0wCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFb3RoZXIwIBcNMjYxMTI2MDQzNzMzWhgPMjEyNjExMDIwNDM3
MzNaMBAxDjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
avBl+TCVycbpn+U0XXjGQw2emn3joOEuVX+Oy2kshFEPdQ4lE9fsvTLUAhqoKqTe
EkcXdXzp8eNbG9XJ6edODaNTMFEwHQYDVR0OBBYEFBNrWn0sHGE+EN8fSmO41LT3
6bSlMB8GA1UdIwQYMBaAFBNrWn0sHGE+EN8fSmO41LT36bSlMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAKBlmR8tXrMZno62RJY0KLWk/UWn54f9
k5XuPCQN3m7gAiB40/41X14Kif+4ol4LhJ7xITY7Uomvzc6vJPnisudwlg==
-----END CERTIFICATE-----
`;
