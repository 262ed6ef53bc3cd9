import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RegistryServer } from '../../src/testing/registry-server.js';
import { type CliResult, cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';
import { startRegistry } from '../transport/registry/connected.js';

const user = { username: 'anna', password: 'correct horse' } as const;
const secrets = ['correct horse', Buffer.from('anna:correct horse').toString('base64')];

let cwd: string;
let home: Record<string, string>;
beforeEach(async () => {
  cwd = await tempDir();
  home = { HOME: join(cwd, 'home'), PATH: '/usr/bin:/bin' };
  await mkdir(join(cwd, 'app'));
  await writeFile(join(cwd, 'app/Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
});

/** `127.0.0.1:5000` is `127_0_0_1___5000`. */
const variable = ({ host }: { readonly host: string }): string =>
  `LADING_AUTH_${host.replaceAll('.', '_').replace(':', '___')}`;

const envFor = (
  server: RegistryServer,
  { username, password }: { readonly username: string; readonly password: string } = user,
) => ({
  ...home,
  [`${variable(server)}_USERNAME`]: username,
  [`${variable(server)}_PASSWORD`]: password,
});

const kindsOf = ({ requests }: RegistryServer): ReadonlySet<string> =>
  new Set(requests.map(({ authorization }) => authorization));

function expectNoSecret({ stdout, stderr }: CliResult): void {
  for (const secret of secrets) expect(`${stdout}${stderr}`).not.toContain(secret);
}

describe('credentials in variables', () => {
  it.each(['basic', 'token'] as const)('are enough to push and to pull, and are kept nowhere (%s)', async kind => {
    const server = await startRegistry({ auth: { kind, ...user }, redirectBlobs: true });
    const name = `${server.host}/team/app:1`;
    const env = envFor(server);
    const root = (store: string): string[] => ['--root', store, '--debug'];
    const built = [
      'build',
      ...root('one'),
      '--progress',
      'rawjson',
      '-t',
      name,
      '--push',
      '--attest',
      'type=provenance',
      'app',
    ];
    for (const argv of [
      built,
      ['pull', ...root('two'), name],
      ['copy', `docker://${name}`, 'oci:layout'],
      ['push', ...root('two'), name],
      ['save', ...root('two'), '-o', 'app.tar', name],
      ['tags', `${server.host}/team/app`],
    ]) {
      const result = await runCli(argv, { cwd, env });
      expect([argv[0], result.code, result.code === 0 ? '' : result.stderr]).toEqual([argv[0], 0, '']);
      expectNoSecret(result);
    }
    const files = await readdir(cwd, { recursive: true, withFileTypes: true });
    for (const file of files.filter(entry => entry.isFile())) {
      const bytes = await readFile(join(file.parentPath, file.name));
      for (const secret of secrets) expect([file.name, bytes.includes(secret)]).toEqual([file.name, false]);
    }
    const storage = server.requests.filter(({ origin }) => origin === 'storage');
    expect(new Set(storage.map(({ authorization }) => authorization))).toEqual(new Set(['none']));
    const without = await runCli(['pull', ...root('three'), name], { cwd, env: home });
    expect([without.code, without.stderr.includes('AUTH_FAILED')]).toEqual([1, true]);
  });

  it('of a registry are not shown to its mirror, nor those of the mirror to the registry', async () => {
    const origin = await startRegistry({ auth: { kind: 'basic', ...user } });
    const mirror = await startRegistry({ auth: { kind: 'basic', username: 'carl', password: 'battery staple' } });
    const name = `${origin.host}/team/app:1`;
    await cli(['build', '-q', '-t', name, '--push', 'app'], { cwd, env: envFor(origin) });
    const config = { registries: { [origin.host]: { mirrors: [{ location: mirror.host }] } } };
    await writeFile(join(cwd, 'registries.json'), JSON.stringify(config));
    const pull = (env: Record<string, string>, root: string) =>
      runCli(['pull', '--root', root, '--registry-config', 'registries.json', name], { cwd, env });
    const first = await pull(envFor(origin), 'two');
    expect(first.code).toBe(0);
    expect(kindsOf(mirror)).toEqual(new Set(['none']));
    expectNoSecret(first);
    // With its own the mirror is asked, and finds nothing to answer with: the registry still sees the other pair only.
    const both = { ...envFor(origin), ...envFor(mirror, { username: 'carl', password: 'battery staple' }) };
    expect((await pull(both, 'three')).code).toBe(0);
    expect(kindsOf(mirror)).toEqual(new Set(['none', 'basic']));
    expect(mirror.requests.filter(({ status, authorization }) => status === 401 && authorization !== 'none')).toEqual(
      [],
    );
    expect(origin.requests.filter(({ status, authorization }) => status === 401 && authorization !== 'none')).toEqual(
      [],
    );
  });

  it('that are half there are no reason not to read what is public, and one not to write', async () => {
    const server = await startRegistry({ auth: { kind: 'token', ...user, anonymousPull: true } });
    const name = `${server.host}/team/app:1`;
    await cli(['build', '-q', '-t', name, '--push', 'app'], { cwd, env: envFor(server) });
    const env = envFor(server, { username: 'anna', password: '' });
    const pulled = await runCli(['pull', '--root', 'two', name], { cwd, env });
    expect([pulled.code, pulled.stderr.includes(`${variable(server)}_PASSWORD is empty`)]).toEqual([0, true]);
    const pushed = await runCli(['push', '--root', 'two', name], { cwd, env });
    expect([pushed.code, pushed.stderr.includes('[CREDENTIALS]')]).toEqual([1, true]);
  });

  it('are named by auth explain, with what they would be called, and never shown', async () => {
    const env = { ...home, LADING_AUTH_GHCR_IO_USERNAME: 'anna', LADING_AUTH_GHCR_IO_PASSWORD: 'correct horse' };
    const shown = await runCli(['auth', 'explain', 'ghcr.io/team/app'], { cwd, env });
    expect(shown.stdout).toMatch(/^ghcr\.io\/team\/app: a password of anna\n/);
    expect(shown.stdout).toMatch(/LADING_AUTH_\* +used +LADING_AUTH_GHCR_IO_USERNAME, LADING_AUTH_GHCR_IO_PASSWORD\n/);
    expectNoSecret(shown);
    const token = { ...home, LADING_AUTH_GHCR_IO_IDENTITY_TOKEN: 'correct horse' };
    const json = await runCli(['auth', 'explain', '--json', 'ghcr.io/team/app'], { cwd, env: token });
    const { credential, places } = JSON.parse(json.stdout);
    expect(credential).toEqual({ kind: 'identity' });
    const entry = 'LADING_AUTH_GHCR_IO_IDENTITY_TOKEN';
    expect(places[0]).toEqual({ place: 'LADING_AUTH_*', result: 'used', entry });
    expectNoSecret(json);
    const other = await cli(['auth', 'explain', 'my-host.example:5000/app'], { cwd, env });
    expect(other).toContain('LADING_AUTH_MY__HOST_EXAMPLE___5000_PASSWORD');
    const wrong = { ...home, LADING_AUTH_GHCR_IO_PASS: 'correct horse' };
    const failed = await runCli(['auth', 'explain', 'ghcr.io/team/app'], { cwd, env: wrong });
    expect([failed.code, failed.stdout.includes('LADING_AUTH_GHCR_IO_PASS:')]).toEqual([1, true]);
    expectNoSecret(failed);
  });

  it('that come before a login are named when one logs in and out', async () => {
    const server = await startRegistry({ auth: { kind: 'basic', ...user } });
    const argv = ['login', '-u', 'anna', '--password-stdin', server.host];
    const env = envFor(server, { username: 'other', password: 'battery staple' });
    const login = await runCli(argv, { cwd, env, stdin: 'correct horse' });
    expect([login.code, login.stderr.match(/^warning: /gm)?.length]).toEqual([0, 1]);
    expect(login.stderr).toContain(`${variable(server)}_PASSWORD`);
    const logout = await runCli(['logout', server.host], { cwd, env });
    expect([logout.code, logout.stdout.includes('removed')]).toEqual([0, true]);
    expect(logout.stderr).toContain(`${variable(server)}_PASSWORD`);
    expect(`${login.stderr}${logout.stderr}`).not.toContain('battery staple');
    const half = envFor(server, { username: 'other', password: '' });
    const again = await runCli(argv, { cwd, env: half, stdin: 'correct horse' });
    expect([again.code, again.stderr.includes(`${variable(server)}_PASSWORD is empty`)]).toEqual([0, true]);
  });

  it('do not count beside a file that is named', async () => {
    const server = await startRegistry({ auth: { kind: 'basic', ...user } });
    await writeFile(join(cwd, 'auth.json'), '{}');
    const argv = ['tags', '--authfile', 'auth.json', `${server.host}/team/app`];
    const { code, stderr } = await runCli(argv, { cwd, env: envFor(server) });
    expect([code, stderr.includes('AUTH_FAILED')]).toEqual([1, true]);
    expect(kindsOf(server)).toEqual(new Set(['none']));
  });
});
