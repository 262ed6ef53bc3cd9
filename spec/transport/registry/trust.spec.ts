import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../../src/errors/errors.js';
import { createTrust } from '../../../src/transport/registry/trust.js';
import { selfSigned } from '../../support/self-signed.js';
import { putImage, sampleImage } from '../sample-image.js';
import { connect, startRegistry } from './connected.js';

describe('createTrust', () => {
  const remote = new URL('http://storage.example/x');
  const local = new URL('http://localhost:1/x');
  const tls = new URL('https://storage.example/x');
  const localTls = new URL('https://[::1]:1/x');
  it.each([
    ['ghcr.io', false, [false, false, true, true], [true, true]],
    ['ghcr.io', true, [true, true, true, true], [false, false]],
    ['127.0.0.1:5000', false, [false, true, true, true], [true, false]],
    ['[::1]:5000', false, [false, true, true, true], [true, false]],
  ] as const)('%s, insecure %s', async (host, insecure, allowed, verified) => {
    const trust = createTrust(host, { insecure });
    expect([remote, local, tls, localTls].map(trust.allows)).toEqual(allowed);
    const settings = await Promise.all([tls, localTls].map(trust.tls));
    expect(settings.map(({ verify }) => verify)).toEqual(verified);
    expect(trust.allows(new URL('file:///etc/passwd'))).toBe(false);
  });
});

describe('finding out how a registry is spoken to', () => {
  // To Linux 0.0.0.0 is this machine, to us it is just another host.
  const elsewhere = (host: string): { readonly host: string } => ({ host: host.replace('127.0.0.1', '0.0.0.0') });

  it('tries TLS first, then plain HTTP, on this machine', async () => {
    for (const options of [{}, { tls: selfSigned }]) {
      const server = await startRegistry(options);
      const image = await sampleImage();
      await putImage(connect(server), image, '1');
      expect(await connect(server).resolve('1')).toEqual(image.manifest.descriptor);
    }
  });

  it.runIf(process.platform === 'linux')(
    'insists on TLS and on certificates elsewhere, until told not to',
    async () => {
      for (const options of [{}, { tls: selfSigned }]) {
        const server = await startRegistry(options);
        await putImage(connect(server), await sampleImage(), '1');
        const count = server.requests.length;
        const error = await connect(elsewhere(server.host))
          .resolve('1')
          .catch(error => error);
        expect(isLadingError(error, 'REGISTRY_UNREACHABLE') && error.hint).toContain('--insecure');
        expect(server.requests).toHaveLength(count);
        const descriptor = await connect(elsewhere(server.host), 'app/one:1', { insecure: true }).resolve('1');
        expect(descriptor).toEqual((await sampleImage()).manifest.descriptor);
      }
    },
  );
});
