import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { RegistryServer } from '../../src/testing/registry-server.js';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';
import { startRegistry } from '../transport/registry/connected.js';

let cwd: string;

beforeEach(async () => {
  cwd = await tempDir();
  await mkdir(join(cwd, 'app'));
  await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
});

describe('commands that speak to registries', () => {
  it('push, pull, inspect, copy and build on what is there', async () => {
    const { host } = await startRegistry();
    const name = `${host}/team/app:1`;
    const pushed = await runCli(['build', '-t', name, '--push', 'app'], { cwd });
    expect(pushed.code, pushed.stderr).toBe(0);
    expect(pushed.stderr).toContain(`push ${name} sha256:`);
    const result = pushed.stdout.trim();
    const digest = result.split('@')[1]!;

    const second = { cwd, env: { LADING_ROOT: join(cwd, 'second') } };
    expect(await cli(['pull', '-q', name], second)).toBe(`${result}\n`);
    expect(await cli(['inspect', '--verify', name], second)).toContain(digest);
    expect(await cli(['inspect', `docker://${name}`], second)).toContain(digest);
    expect(await cli(['copy', `docker://${name}`, 'oci:folder:1'], second)).toBe(`${digest}\n`);
    await cli(['tag', name, 'local:1'], second);
    expect(await cli(['push', 'local:1', `${host}/team/other:2`], second)).toBe(`${host}/team/other:2@${digest}\n`);

    await writeFile(join(cwd, 'app', 'Dockerfile'), `FROM ${name}\nLABEL a=b\n`);
    const third = { cwd, env: { LADING_ROOT: join(cwd, 'third') } };
    const built = await runCli(['build', '-t', 'child', 'app'], third);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stderr).toContain(`${name} sha256:`);
  });

  it('pull what is new with one request for its manifest, and ask with HEAD after what they have', async () => {
    const server = await startRegistry();
    const name = `${server.host}/team/app:1`;
    await cli(['build', '-q', '-t', name, '--push', 'app'], { cwd });
    const second = { cwd, env: { LADING_ROOT: join(cwd, 'second') } };
    server.requests.length = 0;
    await cli(['pull', '-q', name], second);
    const asked = server.requests.map(({ method, path }) => `${method} ${path}`);
    expect(asked.filter(line => !line.includes('/blobs/'))).toEqual(['GET /v2/team/app/manifests/1']);
    server.requests.length = 0;
    await cli(['pull', '-q', name], second);
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['HEAD /v2/team/app/manifests/1']);
  });

  it('read of a base only what planning needs, when nothing is built', async () => {
    const registry = await startRegistry();
    const name = `${registry.host}/base:1`;
    await cli(['build', '-q', '-t', name, '--push', 'app'], { cwd });
    const second = { cwd, env: { LADING_ROOT: join(cwd, 'second') }, stdin: `FROM ${name}\nARG a=1\n` };
    registry.requests.length = 0;
    expect(await cli(['build', '--check', '-'], second)).toContain('no warnings');
    expect(await cli(['build', '--call', 'outline', '-'], second)).toMatch(/^a +1$/m);
    const blobs = registry.log().filter(line => line.includes('/blobs/'));
    expect(new Set(blobs).size).toBe(1);
    expect(await cli(['images', '-q'], second)).toBe('');
  });

  it('use the credentials that other tools have left', async () => {
    const registry = await startRegistry({ auth: { kind: 'basic', username: 'user', password: 'secret' } });
    const name = `${registry.host}/app:1`;
    await cli(['build', '-q', '-t', name, 'app'], { cwd });
    const refused = await runCli(['push', name], { cwd, env: { DOCKER_CONFIG: join(cwd, 'none') } });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('[AUTH_FAILED]');
    await mkdir(join(cwd, 'docker'));
    const auth = Buffer.from('user:secret').toString('base64');
    await writeFile(join(cwd, 'docker', 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    const pushed = await runCli(['push', name], { cwd, env: { DOCKER_CONFIG: join(cwd, 'docker') } });
    expect(pushed.code, pushed.stderr).toBe(0);
    expect(pushed.stderr + pushed.stdout).not.toContain('secret');
  });

  it('say which image a registry does not have', async () => {
    const { host } = await startRegistry();
    const { code, stdout, stderr } = await runCli(['pull', `${host}/no/such:1`], { cwd });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`${host}/no/such`);
  });

  it('say when a registry does not answer', async () => {
    const gone = await RegistryServer.start();
    const { host } = gone;
    await gone.stop();
    const { code, stderr } = await runCli(['inspect', `docker://${host}/app:1`], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('[REGISTRY_UNREACHABLE]');
  }, 60_000);
});
