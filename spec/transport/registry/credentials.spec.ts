import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLadingError } from '../../../src/errors/errors.js';
import type { Credential, CredentialSource } from '../../../src/transport/registry/credentials.js';
import { registryCredentials } from '../../../src/transport/registry/registry-credentials.js';
import { codeOf } from './connected.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const password = (username: string, secret: string): Credential => ({ kind: 'password', username, password: secret });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-credentials-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function ask(config: unknown, registry: string, repository?: string): Promise<Credential | undefined> {
  const authFile = join(folder, 'config.json');
  await writeFile(authFile, typeof config === 'string' ? config : JSON.stringify(config));
  const helperPath = `${folder}:/usr/bin:/bin`;
  return registryCredentials({ authFile, helperPath }).get(registry, { repository });
}

const from = (env: Readonly<Record<string, string>>): CredentialSource => registryCredentials({ env });

async function helper(name: string, script: string): Promise<void> {
  const path = join(folder, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

describe('registryCredentials', () => {
  const auths = {
    'ghcr.io': { auth: base64('anna:se:cret') },
    'https://registry.example/v2/': { auth: base64('bert:two\0\0') },
    'http://127.0.0.1:5000': { username: 'carl', password: 'three' },
    'https://index.docker.io/v1/': { auth: base64('dora:four') },
    'tokens.example': { auth: base64('x:y'), identitytoken: 'refresh' },
    'bearer.example': { registrytoken: 'as it is' },
    'empty.example': {},
    'quay.io/org': { auth: base64('never:used') },
  };
  it.each([
    ['ghcr.io', password('anna', 'se:cret')],
    ['registry.example', password('bert', 'two')],
    ['127.0.0.1:5000', password('carl', 'three')],
    ['docker.io', password('dora', 'four')],
    ['tokens.example', { kind: 'identity', token: 'refresh', username: 'x' }],
    ['bearer.example', { kind: 'bearer', token: 'as it is' }],
    ['empty.example', undefined],
    ['127.0.0.1:5001', undefined],
    ['127.0.0.1', undefined],
    ['ghcr.io.evil.example', undefined],
    ['xghcr.io', undefined],
    ['index.docker.io.evil.example', undefined],
    ['quay.io', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
  ] as const)('finds in the file for %s', async (registry, expected) => {
    expect(await ask({ auths }, registry)).toEqual(expected);
  });

  it('finds the file by the environment', async () => {
    const text = JSON.stringify({ auths: { 'ghcr.io': { auth: base64('a:b') } } });
    await writeFile(join(folder, 'config.json'), text);
    await mkdir(join(folder, '.docker'));
    await writeFile(join(folder, '.docker', 'config.json'), text);
    for (const variable of ['DOCKER_CONFIG', 'HOME']) {
      expect(await from({ [variable]: folder }).get('ghcr.io')).toEqual(password('a', 'b'));
    }
    expect(await from({}).get('ghcr.io')).toBeUndefined();
    expect(await from({ HOME: join(folder, 'none') }).get('ghcr.io')).toBeUndefined();
  });

  it.each([
    ['quay.io', 'org/app', 'close'],
    ['quay.io', 'org/app/deep', 'close'],
    ['quay.io', 'org/apple', 'org'],
    ['quay.io', 'org', 'org'],
    ['quay.io', 'organic/app', 'all'],
    ['quay.io', 'other/app', 'all'],
    ['quay.io', undefined, 'all'],
    ['quay.io.evil.example', 'org/app', undefined],
    ['docker.io', 'library/debian', 'hub'],
    ['docker.io', 'team/app', 'team'],
    ['empty.example', 'org/app', 'host'],
  ] as const)('finds the closest part of %s for %s', async (registry, repository, expected) => {
    const entry = (name: string): unknown => ({ auth: base64(`${name}:x`) });
    const auths = {
      'quay.io': entry('all'),
      'quay.io/org': entry('org'),
      'quay.io/org/app': entry('close'),
      'docker.io/team': entry('team'),
      'https://index.docker.io/v1/': entry('hub'),
      'empty.example': entry('host'),
      'empty.example/org': {},
    };
    const found = await ask({ auths }, registry, repository);
    expect(found).toEqual(expected === undefined ? undefined : password(expected, 'x'));
  });

  it('looks at what is named first, then where podman and skopeo keep it, then where Docker does', async () => {
    const write = async (path: string, name: string): Promise<string> => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, JSON.stringify({ auths: { 'ghcr.io': { auth: base64(`${name}:x`) } } }));
      return path;
    };
    const names = ['named', 'runtime', 'config', 'docker', 'home'];
    const [named, runtime, config, docker] = names.map(name => join(folder, name));
    const everything = {
      DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { 'ghcr.io': { auth: base64('text:x') } } }),
      REGISTRY_AUTH_FILE: await write(named!, 'named'),
      DOCKER_CONFIG: docker!,
      XDG_RUNTIME_DIR: runtime!,
      XDG_CONFIG_HOME: config!,
      HOME: folder,
    };
    await write(join(runtime!, 'containers/auth.json'), 'runtime');
    await write(join(config!, 'containers/auth.json'), 'config');
    await write(join(docker!, 'config.json'), 'docker');
    await write(join(folder, '.docker/config.json'), 'home');
    const found: unknown[] = [];
    const without: Record<string, string> = { ...everything };
    const order = [
      'DOCKER_AUTH_CONFIG',
      'REGISTRY_AUTH_FILE',
      'DOCKER_CONFIG',
      'XDG_RUNTIME_DIR',
      'XDG_CONFIG_HOME',
      'HOME',
    ];
    for (const variable of order) {
      const credential = await from(without).get('ghcr.io', { repository: 'a/b' });
      found.push(credential?.kind === 'password' ? credential.username : credential);
      delete without[variable];
    }
    expect(found).toEqual(['text', 'named', 'docker', 'runtime', 'config', 'home']);
    expect(await from(without).get('ghcr.io')).toBeUndefined();
    expect(await from({ ...everything, DOCKER_AUTH_CONFIG: '{}' }).get('ghcr.io')).toEqual(password('named', 'x'));
  });

  it('prefers what is written for a part of the registry to helpers', async () => {
    await helper('all', `echo '{"Username":"all","Secret":"s"}'`);
    const config = { auths: { 'quay.io/org': { auth: base64('org:x') }, 'quay.io': {} }, credsStore: 'all' };
    expect(await ask(config, 'quay.io', 'org/app')).toEqual(password('org', 'x'));
    expect(await ask(config, 'quay.io', 'other/app')).toEqual(password('all', 's'));
  });

  it.each([
    ['no JSON', '{"auths": {"ghcr.io": {"auth": "c2VjcmV0'],
    ['another shape', '{"auths": ["secret"]}'],
    ['an entry that cannot be decoded', `{"auths": {"ghcr.io": {"auth": "${base64('secret')}"}}}`],
  ])('fails on a file with %s, without quoting it', async (_, text) => {
    const error = await ask(text, 'ghcr.io').catch(error => error);
    expect(isLadingError(error, 'CREDENTIALS')).toBe(true);
    expect(JSON.stringify([error.message, error.details, String(error.cause)])).not.toMatch(/secret|c2Vjc/);
  });

  it('asks the helper for the registry before the helper for all before the file', async () => {
    await helper('one', `cat > ${folder}/asked; echo '{"ServerURL":"x","Username":"one","Secret":"s1"}'`);
    await helper('all', `read server; echo "{\\"Username\\":\\"all\\",\\"Secret\\":\\"$server\\"}"`);
    await helper('none', 'echo credentials not found in native keychain; exit 1');
    const entry = { auth: base64('file:f') };
    const config = {
      auths: { 'one.example': entry, 'two.example': entry, 'none.example': entry },
      credHelpers: { 'one.example': 'one', 'none.example': 'none' },
      credsStore: 'all',
    };
    expect(await ask(config, 'one.example')).toEqual(password('one', 's1'));
    expect(await readFile(join(folder, 'asked'), 'utf8')).toBe('one.example\n');
    expect(await ask(config, 'two.example')).toEqual(password('all', 'two.example'));
    expect(await ask(config, 'docker.io')).toEqual(password('all', 'https://index.docker.io/v1/'));
    expect(await ask(config, 'none.example')).toEqual(password('file', 'f'));
  });

  it('knows a refresh token from a password', async () => {
    await helper('tok', `echo '{"Username":"<token>","Secret":"refresh"}'`);
    expect(await ask({ credsStore: 'tok' }, 'a.example')).toEqual({ kind: 'identity', token: 'refresh' });
  });

  it.each([
    ['is missing', undefined],
    ['fails', 'echo "password=hunter2 is wrong" >&2; exit 3'],
    ['answers nonsense', 'echo hunter2'],
    ['answers without a secret', `echo '{"Username":"hunter2","Secret":""}'`],
    ['answers without end', 'while :; do echo hunter2hunter2hunter2hunter2hunter2hunter2; done'],
    ['is killed', 'kill -9 $$'],
  ])('fails when the helper %s, and keeps its secrets', async (_, script) => {
    if (script !== undefined) await helper('bad', script);
    const error = await ask({ credsStore: 'bad' }, 'a.example').catch(error => error);
    expect(isLadingError(error, 'CREDENTIALS') && error.hint).toBeDefined();
    expect(JSON.stringify([error.message, error.details])).not.toContain('hunter2');
  });

  it('runs no helper whose name is not one', async () => {
    for (const name of ['../evil', 'a/b', '-x', 'a b', '']) {
      const found = await codeOf(ask({ credHelpers: { 'a.example': name } }, 'a.example'));
      expect(found).toBe(name === '' ? undefined : 'CREDENTIALS');
    }
  });

  it('can be cancelled while a helper thinks', async () => {
    await helper('slow', 'exec sleep 60');
    await writeFile(join(folder, 'config.json'), '{"credsStore":"slow"}');
    const controller = new AbortController();
    const credentials = from({ DOCKER_CONFIG: folder, PATH: `${folder}:/usr/bin:/bin` });
    const asking = credentials.get('a.example', { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(asking).rejects.toThrow('enough');
  });
});

describe('helpers that registries.conf names', () => {
  const settings = (helpers: readonly string[]): Promise<void> => {
    const text = `credential-helpers = ${JSON.stringify(helpers)}\n`;
    return writeFile(join(folder, 'registries.conf'), text);
  };
  const source = (): CredentialSource => {
    const env = { HOME: folder, PATH: '/usr/bin:/bin', CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf') };
    return registryCredentials({ env, helperPath: `${folder}:/usr/bin:/bin` });
  };
  const says = (name: string, registry: string): Promise<void> =>
    helper(
      name,
      `read s; [ "$s" = ${registry} ] && echo '{"Username":"${name}","Secret":"s"}' || { echo credentials not found in native keychain; exit 1; }`,
    );

  it('are asked in their order, with the files of podman where these stand', async () => {
    await mkdir(join(folder, '.config/containers'), { recursive: true });
    const auths = { 'ghcr.io': { auth: base64('file:s') } };
    await writeFile(join(folder, '.config/containers/auth.json'), JSON.stringify({ auths }));
    await says('one', 'one.example');
    await says('all', 'ghcr.io');
    await settings(['one', 'all']);
    expect(await source().get('ghcr.io')).toEqual(password('all', 's'));
    expect(await source().get('one.example')).toEqual(password('one', 's'));
    await settings(['one', 'containers-auth.json', 'all']);
    expect(await source().get('ghcr.io')).toEqual(password('file', 's'));
    expect(await source().get('one.example')).toEqual(password('one', 's'));
    expect(await source().get('other.example')).toBeUndefined();
  });

  it('fail with a reason when they are not there', async () => {
    await settings(['gone']);
    expect(await codeOf(source().get('ghcr.io'))).toBe('CREDENTIALS');
  });
});
