import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseReference } from '../../../../src/oci/reference.js';
import { findRoute, type RegistryPlace, type Route } from '../../../../src/transport/registry/settings/route.js';
import { tempDir } from '../../../support/temp-dir.js';
import { codeOf } from '../connected.js';

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

function route(name: string, env: Readonly<Record<string, string>> = {}, config?: string): Promise<Route> {
  return findRoute(parseReference(name), {
    env: { HOME: join(folder, 'home'), ...env },
    etc: join(folder, 'etc'),
    registryConfig: config && join(folder, config),
  });
}

function shown({ registry, repository, scheme, insecure, apiRoot }: RegistryPlace): string {
  const path = apiRoot === undefined ? '' : ` at ${apiRoot}`;
  return `${scheme ? `${scheme}://` : ''}${registry}/${repository}${path}${insecure ? ' insecure' : ''}`;
}

async function places(name: string, env?: Readonly<Record<string, string>>, config?: string): Promise<string[]> {
  const { origin, mirrors } = await route(name, env, config);
  return [
    ...mirrors.map(mirror => `${shown(mirror)}${mirror.tags ? ' tags' : ''}${mirror.digests ? ' digests' : ''}`),
    shown(origin),
  ];
}

describe('daemon.json', () => {
  const text = JSON.stringify({
    'registry-mirrors': ['https://mirror.example', 'http://mirror.example:5000/'],
    'insecure-registries': ['plain.example:5000', 'mirror.example:5000'],
  });

  it('names mirrors of Docker Hub alone, and registries without TLS', async () => {
    await write({ 'etc/docker/daemon.json': text });
    expect(await places('debian')).toEqual([
      'https://mirror.example/library/debian tags digests',
      'http://mirror.example:5000/library/debian insecure tags digests',
      'docker.io/library/debian',
    ]);
    expect(await places('plain.example:5000/app')).toEqual(['plain.example:5000/app insecure']);
    expect(await places('ghcr.io/me/app')).toEqual(['ghcr.io/me/app']);
  });

  const networks = (...written: readonly string[]): string => JSON.stringify({ 'insecure-registries': written });

  it.each([
    ['10.1.2.3:5000', true],
    ['10.1.2.3', true],
    ['11.1.2.3:5000', false],
    ['[fd00::1]:5000', true],
    ['[fe00::1]:5000', false],
    // By its addresses: there is no other name that every machine knows.
    ['localhost:5000', true],
  ])('names networks, and %s is in one of them: %s', async (registry, insecure) => {
    await write({ 'etc/docker/daemon.json': networks('10.0.0.0/8', 'fd00::/8', '127.0.0.0/8', '::1/128') });
    expect(await places(`${registry}/app`)).toEqual([`${registry}/app${insecure ? ' insecure' : ''}`]);
  });

  it('names no network by what is none, and looks no name up where no server may be asked', async () => {
    await write({ 'etc/docker/daemon.json': networks('10.0.0.0/33', '10.0.0/8', 'x/8', '/8', '127.0.0.0/8') });
    expect(await places('10.0.0.1:5000/app')).toEqual(['10.0.0.1:5000/app']);
    const options = { env: { HOME: join(folder, 'home') }, etc: join(folder, 'etc'), offline: true };
    const { origin } = await findRoute(parseReference('localhost:5000/app'), options);
    expect(origin.insecure).toBeUndefined();
  });

  it('of the user comes before that of the machine, and after all other files', async () => {
    await write({ 'etc/docker/daemon.json': text, 'home/.config/docker/daemon.json': '{}' });
    expect(await places('debian')).toEqual(['docker.io/library/debian']);
    await write({
      'home/.config/docker/daemon.json': text,
      'etc/containers/registries.conf': '[[registry]]\nlocation = "docker.io"\n',
    });
    expect(await places('debian')).toEqual(['docker.io/library/debian']);
  });

  it.each(['{', '{"registry-mirrors": "x"}', '{"registry-mirrors": ["ftp://x"]}', '{"registry-mirrors": ["mirror"]}'])(
    'is refused when it is %s',
    async text => {
      await write({ 'etc/docker/daemon.json': text });
      expect(await codeOf(route('debian'))).toBe('INVALID_DOCUMENT');
    },
  );
});

describe('registries.conf', () => {
  const text = `
unqualified-search-registries = ["quay.io"]
[aliases]
"debian" = "evil.example/debian"

[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "one.example/hub"
[[registry.mirror]]
location = "two.example:5000"
insecure = true
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "three.example"
pull-from-mirror = "tag-only"

[[registry]]
prefix = "docker.io/team"
location = "internal.example/moved/team"
insecure = true

[[registry]]
prefix = "quay.io/team"
location = "quay.io/team"
mirror-by-digest-only = true
[[registry.mirror]]
location = "one.example/q"

[[registry]]
prefix = "*.blocked.example"
blocked = true

[[registry]]
prefix = "*.wild.example"
insecure = true

[[registry]]
prefix = "exact.wild.example"
location = "exact.wild.example"
`;
  beforeEach(() => write({ 'etc/containers/registries.conf': text }));

  it.each([
    [
      'debian:12',
      [
        'one.example/hub/library/debian tags digests',
        'two.example:5000/library/debian insecure digests',
        'three.example/library/debian tags',
        'docker.io/library/debian',
      ],
    ],
    ['team/app', ['internal.example/moved/team/app insecure']],
    ['quay.io/team/app', ['one.example/q/app digests', 'quay.io/team/app']],
    ['quay.io/teamwork/app', ['quay.io/teamwork/app']],
    ['ghcr.io/a/b', ['ghcr.io/a/b']],
    ['a.wild.example/b', ['a.wild.example/b insecure']],
    ['a.wild.example:5000/b', ['a.wild.example:5000/b insecure']],
    ['exact.wild.example/b', ['exact.wild.example/b']],
    ['wild.example/b', ['wild.example/b']],
    ['docker.io.evil.example/a', ['docker.io.evil.example/a']],
  ])('leads %s to', async (name, expected) => {
    expect(await places(name)).toEqual(expected);
  });

  it('blocks', async () => {
    expect(await codeOf(route('a.blocked.example/b'))).toBe('REGISTRY_BLOCKED');
  });

  it('is that of the user, or that which is named, and drop-ins count more', async () => {
    const rule = (location: string): string => `[[registry]]\nprefix = "ghcr.io"\nlocation = "${location}"\n`;
    await write({ 'home/.config/containers/registries.conf': rule('user.example') });
    expect(await places('ghcr.io/a')).toEqual(['user.example/a']);
    expect(await places('debian')).toEqual(['docker.io/library/debian']);
    await write({ 'named.conf': rule('named.example') });
    const env = { CONTAINERS_REGISTRIES_CONF: join(folder, 'named.conf') };
    expect(await places('ghcr.io/a', env)).toEqual(['named.example/a']);
    await write({ 'etc/containers/registries.conf.d/1.conf': rule('first.example') });
    await write({ 'etc/containers/registries.conf.d/2.conf': rule('second.example') });
    await write({ 'etc/containers/registries.conf.d/3.txt': 'not read' });
    expect(await places('ghcr.io/a')).toEqual(['second.example/a']);
    await write({ 'home/.config/containers/registries.conf.d/0.conf': rule('own.example') });
    expect(await places('ghcr.io/a')).toEqual(['own.example/a']);
  });

  it.each([
    ['[[registry]]\nlocation = ', 'INVALID_DOCUMENT'],
    ['[[registry]]\ninsecure = true', 'INVALID_DOCUMENT'],
    ['[[registry]]\nlocation = "ghcr.io"\ninsecure = "yes"', 'INVALID_DOCUMENT'],
    ['[[registry]]\nprefix = "ghcr.io"\nlocation = "../etc"', 'INVALID_DOCUMENT'],
    ['[[registry]]\nprefix = "ghcr.io"\nlocation = "no-host"', 'INVALID_DOCUMENT'],
    ['[[registry]]\nprefix = "ghcr.io"\nlocation = "me:secret@x.example"', 'INVALID_DOCUMENT'],
    [
      '[[registry]]\nlocation = "ghcr.io"\n[[registry.mirror]]\nlocation = "x.example"\npull-from-mirror = "some"',
      'INVALID_DOCUMENT',
    ],
  ])('is refused: %j', async (broken, code) => {
    await write({ 'etc/containers/registries.conf': broken });
    expect(await codeOf(route('ghcr.io/a'))).toBe(code);
  });
});

describe('hosts.toml', () => {
  it('names mirrors, what they may be asked, and how', async () => {
    await write({
      'etc/containerd/certs.d/docker.io/hosts.toml': `
server = "https://registry-1.docker.io"
[host."https://one.example"]
  capabilities = ["pull", "resolve"]
  ca = "one.pem"
  client = [["c.pem", "k.pem"]]
[host."http://two.example:5000/v2/hub"]
  capabilities = ["pull"]
  override_path = true
[host."https://three.example/below"]
  skip_verify = true
[host."four.example"]
  capabilities = ["push"]
`,
    });
    expect(await places('debian')).toEqual([
      'https://one.example/library/debian tags digests',
      'http://two.example:5000/library/debian at /v2/hub/ digests',
      'https://three.example/library/debian at /below/v2/ insecure tags digests',
      'https://four.example/library/debian',
      'https://registry-1.docker.io/library/debian',
    ]);
    const { mirrors } = await route('debian');
    const file = (name: string): string => join(folder, 'etc/containerd/certs.d/docker.io', name);
    expect(mirrors[0]).toMatchObject({
      authorityFiles: [file('one.pem')],
      client: { certificate: file('c.pem'), key: file('k.pem') },
      namespace: 'docker.io',
    });
  });

  it('says how the registry itself is asked, by its port, or for all', async () => {
    const own = '[host."http://own.example:5000"]\n';
    await write({ 'etc/containerd/certs.d/own.example:5000/hosts.toml': own });
    await write({ 'etc/containerd/certs.d/other.example_5000_/hosts.toml': 'server = "http://other.example:5000"' });
    await write({ 'etc/containerd/certs.d/_default/hosts.toml': '[host."https://all.example"]' });
    expect(await places('own.example:5000/a')).toEqual(['http://own.example:5000/a']);
    expect(await places('other.example:5000/a')).toEqual(['http://other.example:5000/a']);
    expect(await places('ghcr.io/a')).toEqual(['https://all.example/a tags digests', 'https://ghcr.io/a']);
  });

  it.each(['[host."https://x.example".header]\nAuthorization = "secret"', '[host."https://"]', 'server = 1', '[host'])(
    'is refused: %j',
    async broken => {
      await write({ 'etc/containerd/certs.d/ghcr.io/hosts.toml': broken });
      const error = await route('ghcr.io/a').catch(error => error);
      expect(error.code).toBe('INVALID_DOCUMENT');
      expect(error.message).not.toContain('secret');
    },
  );
});

describe('a file of our own', () => {
  it('has the word before all others', async () => {
    await write({
      'etc/containers/registries.conf': '[[registry]]\nlocation = "ghcr.io"\nblocked = true',
      'config/lading.json': JSON.stringify({
        registries: {
          'ghcr.io': {
            mirrors: [
              { location: 'http://one.example:5000/ghcr', for: 'digests' },
              { location: 'two.example', ca: 'ca.pem', clientCertificate: 'c.pem', clientKey: 'k.pem' },
            ],
          },
          'ghcr.io/team': { location: 'https://moved.example/x', insecure: true },
          'plain.example:80': { plainHttp: true, ca: ['ca.pem'] },
          'blocked.example': { blocked: true },
        },
      }),
    });
    const ask = (name: string) => places(name, {}, 'config/lading.json');
    expect(await ask('ghcr.io/a')).toEqual([
      'http://one.example:5000/ghcr/a digests',
      'two.example/a tags digests',
      'ghcr.io/a',
    ]);
    expect(await ask('ghcr.io/team/a')).toEqual(['https://moved.example/x/a insecure']);
    expect(await ask('plain.example:80/a')).toEqual(['http://plain.example:80/a']);
    expect(await ask('quay.io/a')).toEqual(['quay.io/a']);
    expect(await codeOf(ask('blocked.example/a'))).toBe('REGISTRY_BLOCKED');
    const { mirrors } = await route('ghcr.io/a', {}, 'config/lading.json');
    const file = (name: string): string => join(folder, 'config', name);
    expect(mirrors[1]).toMatchObject({
      authorityFiles: [file('ca.pem')],
      client: { certificate: file('c.pem'), key: file('k.pem') },
    });
  });

  it.each([
    ['nothing', undefined, 'PATH_NOT_FOUND'],
    ['no JSON', 'registries', 'INVALID_DOCUMENT'],
    ['what nobody knows', '{"registries":{"ghcr.io":{"mirror":[]}}}', 'INVALID_DOCUMENT'],
    ['a certificate without a key', '{"registries":{"ghcr.io":{"clientCertificate":"x"}}}', 'INVALID_DOCUMENT'],
  ])('is refused with %s', async (_, text, code) => {
    if (text !== undefined) await write({ 'lading.json': text });
    expect(await codeOf(route('ghcr.io/a', {}, 'lading.json'))).toBe(code);
  });
});
