import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerRegistry, freePort, startDockerRegistry } from '../support/docker-registry.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { type PrivateAuthority, privateAuthority } from '../support/private-authority.js';
import { describeWith, patience, type RunResult, runProgram } from '../support/programs.js';
import { type ProxyServer, proxyServer } from '../support/proxy-server.js';
import { type Service, startService } from '../support/start-service.js';
import { type TokenServer, tokenServer } from '../support/token-server.js';
import { writeBusyboxContext } from './busybox-image.js';
import { type Lading, ladingBin, openLading } from './lading.js';

const user = { username: 'anna', password: 'correct horse' } as const;
/** The password as the registry keeps it. */
const htpasswd = 'anna:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n';

let work: string;
let lading: Lading;
let digest: string;
let authority: PrivateAuthority;

/** A user of their own, with what the programs may know of the world. */
function person(name: string): { readonly home: string; readonly env: Record<string, string> } {
  const home = join(work, name);
  const runtime = join(home, 'run');
  return {
    home,
    env: { HOME: home, XDG_RUNTIME_DIR: runtime, XDG_CONFIG_HOME: '', DOCKER_CONFIG: '', REGISTRY_AUTH_FILE: '' },
  };
}

async function write(file: string, text: string | Buffer): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

function skopeo(env: Record<string, string>, ...args: string[]): Promise<RunResult> {
  return runProgram('skopeo', args, { env });
}

/** To Linux this is 127.0.0.1; to the programs it is a host like any other. */
function elsewhere({ host }: { readonly host: string }): string {
  return host.replace('127.0.0.1', '0.0.0.0');
}

async function prepare(): Promise<void> {
  work = await mkdtemp(join(tmpdir(), 'lading-access-'));
  lading = await openLading();
  await writeBusyboxContext(join(work, 'context'));
  digest = await lading.build(['--tag', 'small:1', join(work, 'context')]);
  await mkdir(join(work, 'authority'));
  authority = await privateAuthority(join(work, 'authority'));
}

async function cleanUp(): Promise<void> {
  await lading?.remove();
  if (work) await rm(work, { recursive: true, force: true });
}

describeWith(['docker-registry', 'skopeo', 'busybox', 'openssl'], 'a registry with passwords', () => {
  let registry: DockerRegistry;
  let name: string;

  beforeAll(async () => {
    await prepare();
    registry = await startDockerRegistry({
      config: { auth: { htpasswd: { realm: 'tests', path: 'FOLDER/htpasswd' } } },
      files: { htpasswd },
    });
    name = `${registry.host}/team/small:1`;
  }, patience);

  afterAll(async () => {
    await registry?.stop();
    await cleanUp();
  });

  it('takes images from who has logged in with lading, and others read them with the same login', async () => {
    const { env, home } = person('anna');
    const refused = await lading.run(['push', 'small:1', name], { env, mayFail: true });
    expect(refused.code).toBe(1);
    const wrong = ['login', '-u', 'anna', '--password-stdin', registry.host];
    expect((await lading.run(wrong, { env, input: 'wrong horse\n', mayFail: true })).code).toBe(1);
    await lading.run(wrong, { env, input: `${user.password}\n` });
    await lading.run(['push', 'small:1', name], { env });
    const inspected = await skopeo(env, 'inspect', '--tls-verify=false', `docker://${name}`);
    expect(JSON.parse(inspected.stdout).Digest).toBe(digest);
    const config = join(home, '.docker/config.json');
    const copy = [
      'copy',
      '--src-tls-verify=false',
      '--authfile',
      config,
      `docker://${name}`,
      `dir:${join(work, 'copy')}`,
    ];
    await skopeo(person('nobody').env, ...copy);
    await lading.run(['logout', registry.host], { env });
    expect((await lading.run(['pull', name], { env, mayFail: true })).code).toBe(1);
  });

  it('is read by lading with the login of skopeo', async () => {
    const { env } = person('skopeo');
    await mkdir(env['XDG_RUNTIME_DIR']!, { recursive: true });
    const login = ['login', '--tls-verify=false', '-u', 'anna', '--password-stdin', registry.host];
    await runProgram('skopeo', login, { env, input: user.password });
    await lading.run(['push', 'small:1', `${registry.host}/team/second:1`], { env });
    const explained = JSON.parse((await lading.run(['auth', 'explain', '--json', name], { env })).stdout);
    expect(explained.credential).toEqual({ kind: 'password', username: 'anna' });
    const used = explained.places.find(({ result }: { result: string }) => result === 'used');
    expect(used.place).toBe(join(env['XDG_RUNTIME_DIR']!, 'containers/auth.json'));
  });

  it('is read by skopeo with a login of lading for a part of it, and by nobody for another', async () => {
    const { env } = person('robot');
    const login = ['login', '-u', 'anna', '--password-stdin', `${registry.host}/team`];
    await lading.run(login, { env, input: user.password });
    for (const run of [
      () => skopeo(env, 'inspect', '--tls-verify=false', `docker://${name}`),
      () => lading.run(['inspect', `docker://${name}`], { env }),
    ]) {
      expect((await run()).code).toBe(0);
    }
    const other = `${registry.host}/other/small:1`;
    expect((await lading.run(['push', 'small:1', other], { env, mayFail: true })).code).toBe(1);
  });
});

describeWith(['docker-registry', 'dockerd', 'root', 'busybox', 'openssl'], 'logins of lading', () => {
  let registry: DockerRegistry;
  let dockerd: Dockerd;

  beforeAll(async () => {
    await prepare();
    registry = await startDockerRegistry({
      config: { auth: { htpasswd: { realm: 'tests', path: 'FOLDER/htpasswd' } } },
      files: { htpasswd },
    });
    dockerd = await startDockerd();
  }, patience);

  afterAll(async () => {
    await dockerd?.stop();
    await registry?.stop();
    await cleanUp();
  });

  it('are those of Docker, and the other way round', async () => {
    const { env, home } = person('anna');
    const DOCKER_CONFIG = join(home, '.docker');
    const name = `${registry.host}/team/small:1`;
    const login = ['login', '-u', 'anna', '--password-stdin', registry.host];
    await lading.run(login, { env, input: user.password });
    await lading.run(['push', 'small:1', name], { env });
    await dockerd.docker(['pull', name], { env: { DOCKER_CONFIG } });
    await dockerd.docker(['tag', name, `${registry.host}/team/docker:1`]);
    await dockerd.docker(['push', `${registry.host}/team/docker:1`], { env: { DOCKER_CONFIG } });
    await dockerd.docker(['logout', registry.host], { env: { DOCKER_CONFIG } });
    expect((await lading.run(['pull', name], { env, mayFail: true })).code).toBe(1);
    await dockerd.docker(login, { env: { DOCKER_CONFIG }, input: user.password });
    await lading.run(['pull', `${registry.host}/team/docker:1`], { env });
  });
});

describeWith(['script', 'docker-registry', 'busybox', 'openssl'], 'a login at a terminal', () => {
  let registry: DockerRegistry;

  beforeAll(async () => {
    await prepare();
    registry = await startDockerRegistry({
      config: { auth: { htpasswd: { realm: 'tests', path: 'FOLDER/htpasswd' } } },
      files: { htpasswd },
    });
  }, patience);

  afterAll(async () => {
    await registry?.stop();
    await cleanUp();
  });

  it('asks, and shows no password', async () => {
    const { env, home } = person('typing');
    const command = `${process.execPath} ${ladingBin} login ${registry.host}; stty -a`;
    const typed = `anna\r${user.password}\r`;
    const { stdout } = await runProgram('script', ['-qec', command, '/dev/null'], { env, input: typed });
    expect(stdout).toContain('logged in');
    expect(stdout.slice(stdout.indexOf('Password:'))).not.toContain('horse');
    // The terminal is as it was.
    expect(stdout).toMatch(/[^-]icanon/);
    const { auths } = JSON.parse(await readFile(join(home, '.docker/config.json'), 'utf8'));
    expect(Object.keys(auths)).toEqual([registry.host]);
  });
});

describeWith(['docker-registry', 'skopeo', 'busybox', 'openssl'], 'a registry of a private authority', () => {
  let registry: DockerRegistry;
  let proxy: ProxyServer;

  beforeAll(async () => {
    await prepare();
    const names = 'IP:127.0.0.1,IP:0.0.0.0,DNS:registry.example';
    registry = await startDockerRegistry({ tls: await authority.issue('registry', names) });
    proxy = await proxyServer({ hosts: { 'registry.example': Number(registry.host.split(':')[1]) } });
  }, patience);

  afterAll(async () => {
    await proxy?.close();
    await registry?.stop();
    await cleanUp();
  });

  it('is trusted by who has its authority in certs.d, by lading as by skopeo', async () => {
    const { env, home } = person('trusting');
    const name = `${elsewhere(registry)}/small:1`;
    const refused = await lading.run(['push', 'small:1', name], { env, mayFail: true });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('certs.d')]);
    const folder = join(home, '.config/containers/certs.d', elsewhere(registry));
    await write(join(folder, 'ca.crt'), await readFile(authority.certificate));
    await lading.run(['push', 'small:1', name], { env });
    expect(JSON.parse((await skopeo(env, 'inspect', `docker://${name}`)).stdout).Digest).toBe(digest);
  });

  it('is trusted by who names its authority for all', async () => {
    for (const variable of ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS']) {
      const env = { ...person('nobody').env, [variable]: authority.certificate };
      await lading.run(['push', 'small:1', `${elsewhere(registry)}/by/${variable.toLowerCase()}:1`], { env });
    }
  });

  it('is reached through a proxy that makes tunnels', async () => {
    const { env, home } = person('behind');
    await write(
      join(home, '.config/containers/certs.d/registry.example/ca.crt'),
      await readFile(authority.certificate),
    );
    const settings = { ...env, HTTPS_PROXY: proxy.url, HTTP_PROXY: '', NO_PROXY: '' };
    const name = 'registry.example/tunnel/small:1';
    await lading.run(['push', 'small:1', name], { env: settings });
    const pulled = await lading.run(['pull', '-q', name], { env: settings });
    expect(pulled.stdout).toContain(digest);
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT registry.example:443']));
    expect(JSON.parse((await skopeo(settings, 'inspect', `docker://${name}`)).stdout).Digest).toBe(digest);
  });
});

describeWith(['docker-registry', 'skopeo', 'busybox', 'openssl', 'nginx'], 'a registry behind nginx', () => {
  let registry: DockerRegistry;
  let nginx: Service;
  let host: string;

  beforeAll(async () => {
    await prepare();
    registry = await startDockerRegistry();
    const port = await freePort();
    host = `0.0.0.0:${port}`;
    const { certificate, key } = await authority.issue('nginx', 'IP:0.0.0.0');
    const folder = join(work, 'nginx');
    await mkdir(folder);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      name => `${name}_temp_path ${join(folder, name)};`,
    );
    const config = await write(
      join(folder, 'nginx.conf'),
      `daemon off; pid ${join(folder, 'pid')}; error_log stderr; worker_processes 1;
       ${process.getuid?.() === 0 ? 'user root;' : ''}
       events {}
       http {
         access_log off; ${temporary.join(' ')}
         server {
           listen 127.0.0.1:${port} ssl;
           ssl_certificate ${certificate}; ssl_certificate_key ${key};
           ssl_client_certificate ${authority.certificate}; ssl_verify_client on;
           client_max_body_size 0;
           location / { proxy_pass http://${registry.host}; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https; }
         }
       }
      `,
    );
    nginx = await startService('nginx', ['-p', folder, '-c', config], {
      log: join(folder, 'log'),
      ready: async () =>
        (
          await runProgram('openssl', ['s_client', '-connect', `127.0.0.1:${port}`], {
            input: '',
            mayFail: true,
            timeout: 10,
          })
        ).stdout.includes('CERTIFICATE'),
    });
  }, patience);

  afterAll(async () => {
    await nginx?.stop();
    await registry?.stop();
    await cleanUp();
  });

  it('takes who shows a client certificate', async () => {
    const { env, home } = person('certified');
    const folder = join(home, '.config/containers/certs.d', host);
    await write(join(folder, 'ca.crt'), await readFile(authority.certificate));
    const name = `${host}/small:1`;
    expect((await lading.run(['push', 'small:1', name], { env, mayFail: true })).code).toBe(1);
    const { certificate, key } = await authority.issue('anna', 'DNS:anna');
    await write(join(folder, 'client.cert'), await readFile(certificate));
    await write(join(folder, 'client.key'), await readFile(key));
    await lading.run(['push', 'small:1', name], { env });
    expect((await lading.run(['pull', '-q', name], { env })).stdout).toContain(digest);
    expect(JSON.parse((await skopeo(env, 'inspect', `docker://${name}`)).stdout).Digest).toBe(digest);
  });
});

describeWith(['docker-registry', 'skopeo', 'busybox', 'openssl'], 'a registry with a service for tokens', () => {
  let registry: DockerRegistry;
  let tokens: TokenServer;

  beforeAll(async () => {
    await prepare();
    const signing = await authority.issue('tokens', 'DNS:tokens');
    const names = { issuer: 'the tests', service: 'the registry' };
    tokens = await tokenServer({ ...user, ...signing, ...names, expiresInSeconds: 5 });
    const { realm } = tokens;
    registry = await startDockerRegistry({
      config: { auth: { token: { realm, ...names, rootcertbundle: authority.certificate } } },
    });
  }, patience);

  afterAll(async () => {
    await registry?.stop();
    await tokens?.close();
    await cleanUp();
  });

  it('takes images from who has logged in, and mounts what another repository has', async () => {
    const { env } = person('anna');
    const wrong = ['login', '-u', 'anna', '--password-stdin', registry.host];
    expect((await lading.run(wrong, { env, input: 'wrong', mayFail: true })).code).toBe(1);
    await lading.run(wrong, { env, input: user.password });
    const name = `${registry.host}/team/small:1`;
    await lading.run(['push', 'small:1', name], { env });
    await lading.run(['copy', `docker://${name}`, `docker://${registry.host}/public/small:1`], { env });
    const mount = ['repository:public/small:pull,push', 'repository:team/small:pull'];
    expect(tokens.given).toContainEqual(mount);
    const inspected = await skopeo(env, 'inspect', '--tls-verify=false', `docker://${name}`);
    expect(JSON.parse(inspected.stdout).Digest).toBe(digest);
  });

  it('lets everyone read what is public, and nobody else what is not', async () => {
    const { env } = person('nobody');
    expect((await lading.run(['pull', '-q', `${registry.host}/public/small:1`], { env })).stdout).toContain(digest);
    expect((await lading.run(['pull', `${registry.host}/team/small:1`], { env, mayFail: true })).code).toBe(1);
    expect((await lading.run(['push', 'small:1', `${registry.host}/public/mine:1`], { env, mayFail: true })).code).toBe(
      1,
    );
  });

  it('lets everyone read what is public although their helper is missing, with a warning', async () => {
    const { env, home } = person('helpless');
    await write(join(home, '.docker/config.json'), '{"credsStore":"missing"}');
    const { stdout, stderr } = await lading.run(['pull', `${registry.host}/public/small:1`], { env });
    expect(stdout).toContain(digest);
    expect(stderr).toContain('docker-credential-missing');
    const push = ['push', 'small:1', `${registry.host}/public/mine:1`];
    const pushed = await lading.run(push, { env, mayFail: true });
    expect([pushed.code, pushed.stderr]).toEqual([1, expect.stringContaining('docker-credential-missing')]);
  });
});

describeWith(['docker-registry', 'skopeo', 'busybox', 'openssl'], 'mirrors', () => {
  let registry: DockerRegistry;

  beforeAll(async () => {
    await prepare();
    registry = await startDockerRegistry();
    await lading.run(['push', 'small:1', `${registry.host}/cache/team/small:1`], person('nobody'));
  }, patience);

  afterAll(async () => {
    await registry?.stop();
    await cleanUp();
  });

  it('are read from by lading as by skopeo, with the same file', async () => {
    const { env, home } = person('mirrored');
    await write(
      join(home, '.config/containers/registries.conf'),
      `[[registry]]
       prefix = "upstream.example"
       location = "127.0.0.1:1/gone"
       insecure = true
       [[registry.mirror]]
       location = "${registry.host}/cache"
       insecure = true
      `,
    );
    const name = 'upstream.example/team/small:1';
    expect((await lading.run(['pull', '-q', name], { env })).stdout).toContain(digest);
    await lading.run(['inspect', '--verify', name], { env });
    const inspected = await skopeo(env, 'inspect', '--no-tags', `docker://${name}`);
    expect(JSON.parse(inspected.stdout).Digest).toBe(digest);
  });
});

describeWith(['unshare', 'root', 'busybox', 'openssl'], 'a machine without a network', () => {
  beforeAll(prepare, patience);
  afterAll(cleanUp);

  it('builds, pulls and saves with what is there, and says so', async () => {
    await write(join(work, 'child/Dockerfile'), 'FROM small:1\nCOPY Dockerfile /\n');
    const alone = (...args: string[]): Promise<RunResult> =>
      runProgram('unshare', ['-n', process.execPath, ladingBin, ...args], {
        env: { ...person('nobody').env, LADING_ROOT: lading.root },
        mayFail: true,
      });
    const built = await alone('build', '--offline', '-t', 'child:1', join(work, 'child'));
    expect([built.code, built.stderr]).toEqual([0, expect.stringContaining('offline')]);
    const pulled = await alone('pull', '--offline', 'small:1');
    expect([pulled.code, pulled.stdout, pulled.stderr]).toEqual([
      0,
      expect.stringContaining(digest),
      expect.stringContaining('offline'),
    ]);
    expect((await alone('save', '-o', join(work, 'child.tar'), 'child:1')).code).toBe(0);
    const missing = await alone('pull', '--offline', 'debian:12');
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('docker.io/library/debian:12')]);
    await write(join(work, 'child/Dockerfile'), 'FROM debian:12\n');
    expect((await alone('build', '--offline', join(work, 'child'))).code).toBe(1);
  });
});
