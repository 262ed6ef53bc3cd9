import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isLadingError, LadingError } from '../../../src/errors/errors.js';
import { parseReference } from '../../../src/oci/reference.js';
import { readCapped } from '../../../src/stream/read-capped.js';
import { RegistryServer } from '../../../src/testing/registry-server.js';
import { openRegistry } from '../../../src/transport/registry/client.js';
import { RegistryConnection } from '../../../src/transport/registry/connection.js';
import type { Credential, CredentialSource } from '../../../src/transport/registry/credentials.js';
import type { RegistryEvent } from '../../../src/transport/registry/events.js';
import { registryCredentials } from '../../../src/transport/registry/registry-credentials.js';
import { copied } from '../../support/copied.js';
import { tempDir } from '../../support/temp-dir.js';
import { blobOf, noise, putBlob, putImage, sampleImage } from '../sample-image.js';
import { codeOf, connect, hasty, startRegistry } from './connected.js';

const always = Number.POSITIVE_INFINITY;
const user = { username: 'user', password: 'correct horse' } as const;
const token = { kind: 'token', ...user } as const;
const known: CredentialSource = { get: async () => ({ kind: 'password', ...user }) };
const wrong: CredentialSource = { get: async () => ({ kind: 'password', username: 'user', password: 'wrong one' }) };

describe('authentication', () => {
  it.each([
    ['nobody asks', { kind: 'none' }, undefined],
    ['nobody asks, and there are credentials', { kind: 'none' }, known],
    ['a password is asked for', { kind: 'basic', ...user }, known],
    ['tokens are asked for', token, known],
    ['there is a refresh token', { ...token, identityToken: 'refresh-token-1' }, identity('refresh-token-1')],
    ['tokens do not say how long they live', { ...token, claimedSeconds: null }, known],
    ['tokens live shorter than they say', { ...token, expiresInSeconds: 0.05, claimedSeconds: 3600 }, known],
  ] as const)('works where %s', async (_, auth, credentials) => {
    const server = await startRegistry({ auth, redirectBlobs: true });
    const image = await sampleImage();
    const endpoint = connect(server, 'app/one:1', { credentials, timing: undefined });
    await putImage(endpoint, image, '1');
    expect(await endpoint.resolve('1')).toEqual(image.manifest.descriptor);
    for (const { descriptor, bytes } of image.blobs) {
      expect((await readCapped(await endpoint.open(descriptor), 1e6, 'blob')).equals(bytes)).toBe(true);
    }
    expect(server.requests.some(({ origin }) => origin === 'storage')).toBe(true);
  });

  it('reads public images without credentials', async () => {
    const server = await startRegistry({ auth: { ...token, anonymousPull: true } });
    const image = await sampleImage();
    await putImage(connect(server, 'app/one:1', { credentials: known }), image, '1');
    const anonymous = connect(server, 'app/one:1', { access: 'pull' });
    expect(await anonymous.resolve('1')).toEqual(image.manifest.descriptor);
    expect(await codeOf(putBlob(anonymous, blobOf(noise(5))))).toBe('AUTH_FAILED');
  });

  it.each([
    ['wrong, for a password', { kind: 'basic', ...user }, wrong],
    ['missing, for a password', { kind: 'basic', ...user }, undefined],
    ['wrong, for tokens', token, wrong],
    ['missing, for tokens', token, undefined],
    ['a refresh token that is no longer good', token, identity('old')],
    ['a token that is no token', token, { get: async (): Promise<Credential> => ({ kind: 'bearer', token: 'guess' }) }],
  ] as const)('says how to log in when the credentials are %s', async (_, auth, credentials) => {
    const server = await startRegistry({ auth });
    const error = await connect(server, 'app/one:1', { credentials })
      .resolve('1')
      .catch(error => error);
    expect(isLadingError(error, 'AUTH_FAILED') && [error.details.status, error.hint?.includes('login')]).toEqual([
      401,
      true,
    ]);
  });

  it('fetches one token for all who wait for it, and keeps it', async () => {
    const server = await startRegistry({ auth: token });
    const endpoint = connect(server, 'app/one:1', { credentials: known });
    const blobs = Array.from({ length: 8 }, (_, i) => blobOf(noise(100, i)));
    await Promise.all(blobs.map(blob => putBlob(endpoint, blob)));
    await Promise.all(blobs.map(({ descriptor }) => endpoint.has(descriptor)));
    expect(server.requests.filter(({ origin }) => origin === 'tokens')).toHaveLength(1);
  });

  it('fetches a new token before the old one ends, and once for all', async () => {
    let now = 1_000_000;
    const timing = { ...hasty(), now: () => now };
    const server = await startRegistry({ auth: { ...token, expiresInSeconds: 100 }, now: () => now });
    const endpoint = connect(server, 'app/one:1', { credentials: known, timing });
    const { descriptor } = blobOf(noise(5));
    await endpoint.has(descriptor);
    now += 95_000;
    await Promise.all([1, 2, 3, 4].map(() => endpoint.has(descriptor)));
    expect(server.requests.filter(({ origin }) => origin === 'tokens')).toHaveLength(2);
    expect(server.requests.filter(({ status, path }) => status === 401 && path !== '/v2/')).toEqual([]);
  });

  it('fetches a new token when the old one is refused, even while writing', async () => {
    const server = await startRegistry({ auth: token });
    const endpoint = connect(server, 'app/one:1', { credentials: known, chunkSizeBytes: 1_000_000 });
    const blob = blobOf(noise(5_000_000));
    const revoking = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < blob.bytes.length; at += 500_000) {
        yield blob.bytes.subarray(at, at + 500_000);
        if (at === 2_000_000) server.accounts.revoke();
      }
    };
    await endpoint.put(blob.descriptor, revoking());
    expect(server.content.blob('app/one', blob.descriptor.digest)?.equals(blob.bytes)).toBe(true);
    server.accounts.revoke();
    await putImage(endpoint, await sampleImage(), '1');
  });

  it('asks for the right to read where a blob is mounted from', async () => {
    const server = await startRegistry({ auth: token });
    const connection = new RegistryConnection(server.host, { credentials: known, timing: hasty() });
    const open = (name: string) =>
      openRegistry({ reference: parseReference(`${server.host}/${name}`), access: 'push', connection });
    const image = await sampleImage();
    await putImage(open('app/one:1'), image, '1');
    const before = server.requests.length;
    await copied(open('app/one:1'), image.manifest.descriptor, open('app/two:1'), { name: '1' });
    const scopes = server.requests
      .slice(before)
      .filter(({ origin }) => origin === 'tokens')
      .map(({ path }) => new URLSearchParams(path.replace(/^.*\?/, '')).getAll('scope'));
    expect(scopes).toContainEqual(['repository:app/two:pull,push', 'repository:app/one:pull']);
    expect(server.requests.some(({ path, status }) => path.includes('mount=') && status === 201)).toBe(true);
    await connection.close();
  });

  it.each([
    ['http://tokens.example/token', 'REGISTRY_PROTOCOL'],
    ['https://user:password@tokens.example/token', 'REGISTRY_PROTOCOL'],
    ['ftp://127.0.0.1/token', 'REGISTRY_PROTOCOL'],
    ['not an address', 'REGISTRY_PROTOCOL'],
  ])('sends nothing to %s for a token', async (realm, code) => {
    const server = await startRegistry();
    const headers = { 'www-authenticate': `Bearer realm="${realm}",service="x"` };
    server.inject({ times: always }, { kind: 'answer', status: 401, headers });
    expect(await codeOf(connect(server, 'app/one:1', { credentials: known }).resolve('1'))).toBe(code);
  });

  it.each([
    ['no JSON', 'oops'],
    ['no token', '{}'],
    ['a token with line breaks', '{"token":"a\\r\\nX-Evil: 1"}'],
  ])('takes %s for a broken answer, and shows nothing of it', async (_, body) => {
    const server = await startRegistry({ auth: token });
    server.inject({ path: /^\/token/, times: always }, { kind: 'answer', status: 200, body });
    const error = await connect(server, 'app/one:1', { credentials: known })
      .resolve('1')
      .catch(error => error);
    expect(isLadingError(error, 'REGISTRY_PROTOCOL')).toBe(true);
    expect(JSON.stringify([error.message, error.details])).not.toMatch(/oops|X-Evil|correct|horse/);
  });

  it('sends a refresh token to nobody that its place redirects to', async () => {
    const server = await startRegistry({ auth: token });
    const elsewhere = { location: `http://${server.host}/v2/` };
    server.inject({ method: 'POST', path: /^\/token/ }, { kind: 'answer', status: 307, headers: elsewhere });
    const endpoint = connect(server, 'app/one:1', { credentials: identity('refresh') });
    expect(await codeOf(endpoint.resolve('1'))).toBe('REGISTRY_PROTOCOL');
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('sends its password to nobody that the registry redirects to', async () => {
    const other = await startRegistry();
    const server = await startRegistry({ auth: { kind: 'basic', ...user } });
    const away = { location: `http://${other.host}/v2/app/one/manifests/1` };
    server.inject({ path: /manifests/, times: always }, { kind: 'answer', status: 302, headers: away });
    expect(await codeOf(connect(server, 'app/one:1', { credentials: known }).resolve('1'))).toBe('REFERENCE_NOT_FOUND');
    expect(other.requests.map(({ authorization }) => authorization)).toEqual(['none', 'none']);
  });

  it.each([
    ['an address of the registry that names no repository', '/somewhere/else', 'basic'],
    ['the repository itself', '/v2/app/one/manifests/2', 'basic'],
    ['another repository', '/v2/app/two/manifests/1', 'none'],
    ['a repository below', '/v2/app/one/below/manifests/1', 'none'],
  ] as const)('redirected to %s, sends what is for that', async (_, location, sent) => {
    const server = await startRegistry({ auth: { kind: 'basic', ...user } });
    server.inject(
      { path: /app\/one\/manifests\/1$/, times: always },
      { kind: 'answer', status: 302, headers: { location } },
    );
    server.inject({ path: /^\/somewhere/, times: always }, { kind: 'answer', status: 404 });
    const code = await codeOf(connect(server, 'app/one:1', { credentials: known }).resolve('1'));
    expect(code).toBe(sent === 'none' ? 'AUTH_FAILED' : 'REFERENCE_NOT_FOUND');
    const redirected = server.requests.filter(({ path }) => path === location);
    expect(new Set(redirected.map(({ authorization }) => authorization))).toEqual(new Set([sent]));
  });

  it('sends nothing to an upload that is said to go on in another repository', async () => {
    const server = await startRegistry({ auth: { kind: 'basic', ...user } });
    const headers = { location: '/v2/app/two/blobs/uploads/1' };
    server.inject({ method: 'POST', path: /uploads/ }, { kind: 'answer', status: 202, headers });
    const blob = blobOf(noise(5));
    expect(await codeOf(putBlob(connect(server, 'app/one:1', { credentials: known }), blob))).toBe('AUTH_FAILED');
    const there = server.requests.filter(({ path }) => path.includes('app/two'));
    expect(new Set(there.map(({ authorization }) => authorization))).toEqual(new Set(['none']));
  });

  it('asks for credentials by repository, and sends each where it is for', async () => {
    const server = await startRegistry({ auth: token });
    const asked: unknown[] = [];
    const credentials: CredentialSource = {
      get: async (_, request) => {
        asked.push(request?.repository);
        return request?.repository === 'app/one' ? { kind: 'password', ...user } : undefined;
      },
    };
    const connection = new RegistryConnection(server.host, { credentials, timing: hasty() });
    const open = (name: string) =>
      openRegistry({ reference: parseReference(`${server.host}/${name}`), access: 'push', connection });
    await putImage(open('app/one:1'), await sampleImage(), '1');
    expect(await codeOf(open('app/two:1').resolve('1'))).toBe('AUTH_FAILED');
    expect(new Set(asked)).toEqual(new Set(['app/one', 'app/two']));
    await connection.close();
  });

  it('fetches one new token for all whose token is refused at once', async () => {
    const server = await startRegistry({ auth: token });
    const endpoint = connect(server, 'app/one:1', { credentials: known });
    const blobs = Array.from({ length: 12 }, (_, i) => blobOf(noise(100, i)));
    await endpoint.has(blobs[0]!.descriptor);
    for (let round = 1; round <= 3; round++) {
      server.accounts.revoke();
      await Promise.all(blobs.map(({ descriptor }) => endpoint.has(descriptor)));
      expect(server.requests.filter(({ origin }) => origin === 'tokens')).toHaveLength(1 + round);
    }
  });

  it('asks again for credentials that the service of tokens takes no more', async () => {
    const server = await startRegistry({ auth: { ...token, expiresInSeconds: 0.01 } });
    const answers: Credential[] = [
      { kind: 'password', ...user },
      { kind: 'password', username: 'user', password: 'new one' },
    ];
    let asked = 0;
    const credentials = { get: async () => answers[asked++] };
    const endpoint = connect(server, 'app/one:1', { credentials, timing: undefined });
    expect(await codeOf(endpoint.resolve('1'))).toBe('REFERENCE_NOT_FOUND');
    server.accounts.changePassword('new one');
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(await codeOf(endpoint.resolve('1'))).toBe('REFERENCE_NOT_FOUND');
    expect(asked).toBe(2);
  });

  it('asks again for credentials that say how long they are good', async () => {
    let now = 0;
    const server = await startRegistry({ auth: { kind: 'basic', ...user } });
    let asked = 0;
    const credentials: CredentialSource = {
      get: async () => ({ kind: 'password', ...user, lifeSeconds: 100 * ++asked }),
    };
    const timing = { ...hasty(), now: () => now };
    const endpoint = connect(server, 'app/one:1', { credentials, timing });
    const at: number[] = [];
    for (; now < 500_000; now += 10_000) {
      const before = asked;
      await codeOf(endpoint.resolve('1'));
      if (asked > before) at.push(now / 1000);
    }
    expect(at).toEqual([0, 90, 270]);
  });

  it('reads what is public without credentials that lay around and are refused, says so, and does not write so', async () => {
    const server = await startRegistry({ auth: { ...token, anonymousPull: true } });
    const image = await sampleImage();
    await putImage(connect(server, 'app/one:1', { credentials: known }), image, '1');
    const ambient: CredentialSource = {
      get: async () => ({ kind: 'password', username: 'user', password: 'of others', ambient: true }),
    };
    const events: RegistryEvent[] = [];
    const options = { credentials: ambient, onEvent: (event: RegistryEvent) => events.push(event) };
    expect(await connect(server, 'app/one:1', { ...options, access: 'pull' }).resolve('1')).toBeDefined();
    expect(events.map(({ kind }) => kind)).toEqual(['registry-warning']);
    expect(await codeOf(putBlob(connect(server, 'app/one:1', options), blobOf(noise(5))))).toBe('AUTH_FAILED');
    expect(await codeOf(connect(server, 'app/one:1', { credentials: wrong, access: 'pull' }).resolve('1'))).toBe(
      'AUTH_FAILED',
    );
  });

  it('sends a refresh token as a password where tokens are given in no other way', async () => {
    const server = await startRegistry({ auth: { ...token, password: 'refresh-token-1' } });
    server.inject({ method: 'POST', path: /^\/token/, times: always }, { kind: 'answer', status: 405 });
    const credentials: CredentialSource = {
      get: async () => ({ kind: 'identity', token: 'refresh-token-1', username: 'user' }),
    };
    await putImage(connect(server, 'app/one:1', { credentials }), await sampleImage(), '1');
  });

  it('takes the first challenge that it can answer', async () => {
    const server = await startRegistry({ auth: { kind: 'basic', ...user } });
    const headers = { 'www-authenticate': 'Negotiate, Bearer realm="ftp://x/",service="s", Basic realm="r"' };
    server.inject({ path: /^\/v2\/$/ }, { kind: 'answer', status: 401, headers });
    expect(await codeOf(connect(server, 'app/one:1', { credentials: known }).resolve('1'))).toBe('REFERENCE_NOT_FOUND');
  });

  it.each([
    ['a text', '"expires_in":"100"', [0, 90]],
    ['nothing', '"x":1', [0, 54, 108]],
    ['years', '"expires_in":1e12', [0, 3240]],
    ['a negative number', '"expires_in":-5', [0, 54, 108]],
    ['nonsense', '"expires_in":"soon"', [0, 54, 108]],
  ] as const)('believes a token that says %s of its life only so far', async (_, says, expected) => {
    let now = 0;
    const server = await startRegistry({ auth: token });
    const body = `{"token":"x",${says}}`;
    server.inject({ path: /^\/token/, times: always }, { kind: 'answer', status: 200, body });
    server.inject({ path: /manifests/, times: always }, { kind: 'answer', status: 404 });
    const endpoint = connect(server, 'app/one:1', { credentials: known, timing: { ...hasty(), now: () => now } });
    const at: number[] = [];
    const until = expected.at(-1)! * 1000 + 10_000;
    for (; now < until; now += 1000) {
      const before = server.requests.filter(({ origin }) => origin === 'tokens').length;
      await codeOf(endpoint.has((await sampleImage()).manifest.descriptor));
      if (server.requests.filter(({ origin }) => origin === 'tokens').length > before) at.push(now / 1000);
      if (now > 200_000 && now < 3_200_000) now = 3_200_000;
    }
    expect(at).toEqual(expected);
  });

  it('does not run in circles', async () => {
    const server = await startRegistry();
    server.inject(
      { path: /manifests/, times: always },
      { kind: 'answer', status: 302, headers: { location: '?again' } },
    );
    expect(await codeOf(connect(server).resolve('1'))).toBe('REGISTRY_PROTOCOL');
    expect(server.log().length).toBeLessThan(13);
  });

  it('reads without credentials when a helper fails, says so, and does not write so', async () => {
    const server = await startRegistry({ auth: { ...token, anonymousPull: true } });
    const image = await sampleImage();
    await putImage(connect(server, 'app/one:1', { credentials: known }), image, '1');
    const failing: CredentialSource = {
      get: async () => {
        throw new LadingError('CREDENTIALS', 'the helper is broken', { details: { source: 'helper' } });
      },
    };
    const events: RegistryEvent[] = [];
    const options = { credentials: failing, onEvent: (event: RegistryEvent) => events.push(event) };
    const reader = connect(server, 'app/one:1', { ...options, access: 'pull' });
    await Promise.all([reader.resolve('1'), reader.has(image.config.descriptor)]);
    expect(events.map(({ kind }) => kind)).toEqual(['registry-warning']);
    expect(await codeOf(putBlob(reader, blobOf(noise(5))))).toBe('CREDENTIALS');
    expect(await codeOf(putBlob(connect(server, 'app/one:1', options), blobOf(noise(5))))).toBe('CREDENTIALS');
  });

  it('asks again for credentials that were refused, for they may have been renewed', async () => {
    const server = await startRegistry({ auth: { kind: 'basic', ...user } });
    const answers: Credential[] = [
      { kind: 'password', username: 'user', password: 'old one' },
      { kind: 'password', ...user },
    ];
    const credentials = { get: async () => answers.shift() };
    expect(await codeOf(connect(server, 'app/one:1', { credentials }).resolve('1'))).toBe('REFERENCE_NOT_FOUND');
  });
});

describe('a credential helper', () => {
  it.each(['basic', 'token'] as const)('is asked again when what it said has ended (%s)', async kind => {
    const folder = await tempDir();
    const script = `#!/bin/sh\necho asked >> ${folder}/log; cat ${folder}/answer\n`;
    await writeFile(join(folder, 'docker-credential-short'), script, { mode: 0o755 });
    const say = (password: string) =>
      writeFile(join(folder, 'answer'), JSON.stringify({ Username: 'user', Secret: password }));
    const authFile = join(folder, 'config.json');
    await say(user.password);
    const server = await startRegistry({ auth: { kind, ...user, expiresInSeconds: 0.01 } });
    await writeFile(authFile, JSON.stringify({ credHelpers: { [server.host]: 'short' } }));
    const credentials = registryCredentials({ authFile, helperPath: `${folder}:/usr/bin:/bin` });
    const endpoint = connect(server, 'app/one:1', { credentials, timing: undefined, chunkSizeBytes: 1e6 });
    await putImage(endpoint, await sampleImage(), '1');
    await say('new one');
    server.accounts.changePassword('new one');
    server.accounts.revoke();
    await new Promise(resolve => setTimeout(resolve, 20));
    await putImage(endpoint, await sampleImage(2, 3_000_000), '2');
    expect(await readFile(join(folder, 'log'), 'utf8')).toBe('asked\nasked\n');
  });
});

describe('the test registry', () => {
  it('notices an Authorization on a wrong way, a secret in the open, and what makes no sense', async () => {
    const server = await RegistryServer.start({ auth: { kind: 'basic', ...user }, redirectBlobs: true });
    const { descriptor, bytes } = blobOf(noise(5));
    server.content.putBlob('app/one', bytes);
    const authorization = `Basic ${Buffer.from('user:correct horse').toString('base64')}`;
    const url = `http://${server.host}/v2/app/one/blobs/${descriptor.digest}`;
    const redirect = await fetch(url, { headers: { authorization }, redirect: 'manual' });
    await fetch(redirect.headers.get('location')!, { headers: { authorization } });
    await fetch(`http://${server.host}/v2/?password=${encodeURIComponent(user.password)}`);
    await fetch(`http://${server.host}/v1/unknown`);
    expect(server.problems).toHaveLength(3);
    await expect(server.stop()).rejects.toThrow('another origin');
  });
});

function identity(refreshToken: string): CredentialSource {
  return { get: async () => ({ kind: 'identity', token: refreshToken }) };
}
