import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isLadingError } from '../../../src/errors/errors.js';
import { connectionTo } from '../../../src/transport/registry/access.js';
import { hostToVariable } from '../../../src/transport/registry/host-variable.js';
import { explainLogin } from '../../../src/transport/registry/login.js';
import { registryCredentials } from '../../../src/transport/registry/registry-credentials.js';
import { putImage, sampleImage } from '../sample-image.js';
import { codeOf, connect, startRegistry } from './connected.js';

type Env = Readonly<Record<string, string | undefined>>;

const pair = (host: string, username = 'anna', password = 'hunter2'): Env => ({
  [`LADING_AUTH_${host}_USERNAME`]: username,
  [`LADING_AUTH_${host}_PASSWORD`]: password,
});
const find = (env: Env, registry: string) => registryCredentials({ env }).get(registry, { repository: 'team/app' });
const anna = { kind: 'password', username: 'anna', password: 'hunter2' } as const;

describe('credentials in variables', () => {
  it('are for exactly one registry', async () => {
    const env = { ...pair('GHCR_IO'), ...pair('REGISTRY_EXAMPLE___5000', 'bert'), ...pair('MY_HOST_COM', 'carl') };
    expect(await find(env, 'ghcr.io')).toEqual(anna);
    expect(await find(env, 'GHCR.IO')).toEqual(anna);
    expect(await find(env, 'registry.example:5000')).toEqual({ ...anna, username: 'bert' });
    expect(await find(env, 'my.host.com')).toEqual({ ...anna, username: 'carl' });
    for (const registry of [
      ...['ghcr-io', 'ghcr.io:443', 'ghcr.io.example', 'xghcr.io', 'www.ghcr.io', 'io', 'ghcr', 'ghcr.ıo', 'ghcr_io'],
      ...['registry.example', 'registry.example:500', 'registry.example:50000', 'registry.example.5000'],
      ...['registry.example-5000', 'registry-example:5000', 'my-host.com', 'my.host-com', 'my-host-com', 'docker.io'],
      ...['__proto__', 'constructor', ''],
    ]) {
      expect([registry, await find(env, registry)]).toEqual([registry, undefined]);
    }
  });

  it('may be a refresh token, with a name or without', async () => {
    const env = { LADING_AUTH_GHCR_IO_IDENTITY_TOKEN: 'refresh' };
    expect(await find(env, 'ghcr.io')).toEqual({ kind: 'identity', token: 'refresh' });
    const named = { ...env, LADING_AUTH_GHCR_IO_USERNAME: 'anna' };
    expect(await find(named, 'ghcr.io')).toEqual({ kind: 'identity', token: 'refresh', username: 'anna' });
  });

  it('know Docker Hub by all of its names, the one that people write first', async () => {
    const env = {
      ...pair('DOCKER_IO', 'one'),
      ...pair('INDEX_DOCKER_IO', 'two'),
      ...pair('REGISTRY__1_DOCKER_IO', 'three'),
    };
    expect(await find(env, 'docker.io')).toMatchObject({ username: 'one' });
    expect(await find({ ...env, ...pair('DOCKER_IO', '', '') }, 'docker.io')).toMatchObject({ username: 'two' });
    expect(await find(pair('REGISTRY__1_DOCKER_IO'), 'docker.io')).toEqual(anna);
    expect(await find(pair('DOCKER_IO'), 'registry-1.docker.io')).toBeUndefined();
  });

  it('come before all that may be for more than one registry, and after what is given for all', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lading-variables-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const authFile = join(folder, 'auth.json');
    const auths = {
      'ghcr.io': { username: 'file', password: 'x' },
      'ghcr.io/team': { username: 'part', password: 'x' },
    };
    await writeFile(authFile, JSON.stringify({ auths }));
    const others = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths }), REGISTRY_AUTH_FILE: authFile, GITHUB_TOKEN: 'x' };
    const env = { ...others, ...pair('GHCR_IO') };
    expect(await find(env, 'ghcr.io')).toEqual(anna);
    expect(await find(others, 'ghcr.io')).toMatchObject({ username: 'part' });
    expect(await registryCredentials({ env, authFile }).get('ghcr.io')).toMatchObject({ username: 'file' });
    const credentials = { get: async () => ({ ...anna, username: 'told' }) };
    expect(await registryCredentials({ env, authFile, credentials }).get('ghcr.io')).toMatchObject({
      username: 'told',
    });
  });

  it('that are empty are not set', async () => {
    const empty = { ...pair('GHCR_IO', '', ''), LADING_AUTH_GHCR_IO_IDENTITY_TOKEN: '', LADING_AUTH_: '' };
    const DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { 'ghcr.io': { username: 'file', password: 'x' } } });
    expect(await find({ ...empty, DOCKER_AUTH_CONFIG }, 'ghcr.io')).toMatchObject({ username: 'file' });
    const { places } = await explainLogin('ghcr.io/team/app', { registry: { env: empty } });
    expect(places[0]).toMatchObject({ place: 'LADING_AUTH_*', result: 'nothing' });
    expect(places[0]?.reason).toContain('LADING_AUTH_GHCR_IO_PASSWORD');
  });

  it.each<[string, Env]>([
    ['a name without a password', { LADING_AUTH_GHCR_IO_USERNAME: 'hunter2' }],
    ['a password without a name', { LADING_AUTH_GHCR_IO_PASSWORD: 'hunter2' }],
    ['a name with an empty password', pair('GHCR_IO', 'hunter2', '')],
    ['a password with an empty name', pair('GHCR_IO', '')],
    ['two ways at once', { ...pair('GHCR_IO'), LADING_AUTH_GHCR_IO_IDENTITY_TOKEN: 'hunter2' }],
    ['a password of two lines', pair('GHCR_IO', 'anna', 'hunter2\nhunter2')],
    ['a token of two lines', { LADING_AUTH_GHCR_IO_IDENTITY_TOKEN: 'hunter2\r\n' }],
    ['a name with a colon', pair('GHCR_IO', 'hunter2:anna')],
    ['a name with a line break', pair('GHCR_IO', 'hunter2\n')],
    ['a name that is not in capitals', { LADING_AUTH_ghcr_io_PASSWORD: 'hunter2' }],
    ['a prefix that is not in capitals', { lading_auth_ghcr_io_password: 'hunter2' }],
    ['a word behind the host that means nothing', { LADING_AUTH_GHCR_IO_TOKEN: 'hunter2' }],
    ['no word behind the host', { LADING_AUTH_GHCR_IO: 'hunter2' }],
    ['no host', { LADING_AUTH_PASSWORD: 'hunter2' }],
    ['a host that is none', { LADING_AUTH_GHCR___IO_PASSWORD: 'hunter2' }],
    ['a port that is none', { LADING_AUTH_GHCR_IO___123456_PASSWORD: 'hunter2' }],
    ['an address that is none', { LADING_AUTH__1_2_PASSWORD: 'hunter2' }],
    ['control characters', { 'LADING_AUTH_GHCR_IO\u001b[2J_PASSWORD': 'hunter2' }],
  ])('fail with %s: whoever comes next might be somebody else', async (_, env) => {
    const DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { 'ghcr.io': { username: 'file', password: 'x' } } });
    const error = await find({ ...env, DOCKER_AUTH_CONFIG }, 'ghcr.io').catch(error => error);
    expect(isLadingError(error, 'CREDENTIALS') && error.hint).toBeTruthy();
    expect(error.details.source).toMatch(/^lading_auth_/i);
    expect(JSON.stringify([error.message, error.details, error.hint, String(error.cause)])).not.toMatch(
      /hunter2|\\u001b/,
    );
  });

  it('of another registry do no harm when half of them is there', async () => {
    expect(await find({ ...pair('GHCR_IO'), LADING_AUTH_QUAY_IO_USERNAME: 'anna' }, 'ghcr.io')).toEqual(anna);
  });

  it.each(['basic', 'token'] as const)('go to the registry and to nobody it leads to (%s)', async kind => {
    const user = { username: 'anna', password: 'correct horse' };
    const server = await startRegistry({ auth: { kind, ...user }, redirectBlobs: true });
    const other = await startRegistry({ auth: { kind, ...user } });
    const warnings: string[] = [];
    const env = pair(hostToVariable(server.host)!, user.username, user.password);
    const { credentials } = await connectionTo(server.host, { env, onWarning: warning => warnings.push(warning) });
    const image = await sampleImage();
    const endpoint = connect(server, 'app/one:1', { credentials });
    await putImage(endpoint, image, '1');
    const { config } = image;
    for await (const _ of await endpoint.open(config.descriptor));
    expect(server.requests.some(({ origin }) => origin === 'storage')).toBe(true);
    // The same machine at another port is another registry.
    expect(await codeOf(connect(other, 'app/one:1', { credentials }).resolve('1'))).toBe('AUTH_FAILED');
    for (const { origin, authorization } of [...server.requests, ...other.requests]) {
      if (origin === 'storage') expect(authorization).toBe('none');
    }
    expect(other.requests.filter(({ authorization }) => authorization === 'basic')).toEqual([]);
    expect(JSON.stringify([server.problems, other.problems, warnings])).not.toContain('horse');
  });
});
