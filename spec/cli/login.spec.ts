import { chmod, mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import type { InputStream } from '../../cli/context.js';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';
import { startRegistry } from '../transport/registry/connected.js';

const user = { username: 'anna', password: 'correct horse' } as const;
const basic = { kind: 'basic', ...user } as const;
const token = { kind: 'token', ...user } as const;

let cwd: string;
let env: Record<string, string>;
beforeEach(async () => {
  cwd = await tempDir();
  env = { HOME: join(cwd, 'home'), PATH: `${cwd}:/usr/bin:/bin` };
});

const dockerFile = (): string => join(cwd, 'home/.docker/config.json');
async function readJson(file: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(file, 'utf8'));
}
const pair = (username: string, password: string): string => Buffer.from(`${username}:${password}`).toString('base64');

/** A terminal at which somebody types. */
function terminal(typed: string): InputStream & { readonly modes: boolean[] } {
  const stream = new PassThrough() as unknown as InputStream & { modes: boolean[]; isTTY: boolean };
  stream.isTTY = true;
  stream.modes = [];
  stream.setRawMode = raw => stream.modes.push(raw);
  (stream as unknown as PassThrough).write(typed);
  return stream;
}

describe('login', () => {
  it.each([basic, token])('keeps a password that the registry takes ($kind)', async auth => {
    const { host } = await startRegistry({ auth });
    const argv = ['login', '-u', 'anna', '--password-stdin', host];
    const { code, stdout, stderr } = await runCli(argv, { cwd, env, stdin: 'correct horse\n' });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`logged in to ${host} as anna; the password is kept by ~/.docker/config.json\n`);
    expect(await readJson(dockerFile())).toEqual({ auths: { [host]: { auth: pair('anna', 'correct horse') } } });
    expect((await stat(dockerFile())).mode & 0o777).toBe(0o600);
    expect((await stat(join(cwd, 'home/.docker'))).mode & 0o777).toBe(0o700);
    await mkdir(join(cwd, 'app'));
    await writeFile(join(cwd, 'app/Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
    await cli(['build', '-q', '-t', `${host}/a:1`, '--push', 'app'], { cwd, env });
  });

  it.each([basic, token])('keeps nothing that the registry refuses, and shows nothing of it ($kind)', async auth => {
    const { host } = await startRegistry({ auth });
    const argv = ['login', '-u', 'anna', '--password-stdin', host, '--debug'];
    const { code, stdout, stderr } = await runCli(argv, { cwd, env, stdin: 'hunter2' });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).not.toMatch(/hunter2|aHVudGVyMg/);
    await expect(stat(dockerFile())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('keeps everything else in the file, and the link to it', async () => {
    const { host } = await startRegistry({ auth: basic });
    await mkdir(join(cwd, 'home/.docker'), { recursive: true });
    const before = { HttpHeaders: { a: 'b' }, auths: { 'x.example': { auth: pair('x', 'y') } }, plugins: {} };
    await writeFile(join(cwd, 'real.json'), JSON.stringify(before), { mode: 0o644 });
    await symlink('../../real.json', dockerFile());
    await cli(['login', '-u', 'anna', '--password-stdin', host], { cwd, env, stdin: 'correct horse' });
    expect(await readlink(dockerFile())).toBe('../../real.json');
    const auths = { ...before.auths, [host]: { auth: pair('anna', 'correct horse') } };
    expect(await readJson(dockerFile())).toEqual({ ...before, auths });
    expect((await stat(join(cwd, 'real.json'))).mode & 0o777).toBe(0o600);
  });

  it('loses none of many at once', async () => {
    const servers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => startRegistry({ auth: basic })));
    const names = servers.map(({ host }) => host);
    await Promise.all(
      names.map(host => cli(['login', '-u', 'anna', '--password-stdin', host], { cwd, env, stdin: 'correct horse' })),
    );
    expect(Object.keys((await readJson(dockerFile()))['auths'] as object).sort()).toEqual(names.sort());
  });

  it('writes where it is told to, and parts of a registry where Docker does not look', async () => {
    const { host } = await startRegistry({ auth: token });
    const options = { cwd, stdin: 'correct horse' };
    const run = (name: string, more: Record<string, string>, ...args: string[]) =>
      cli(['login', '-u', 'anna', '--password-stdin', ...args, name], { ...options, env: { ...env, ...more } });
    expect(await run(host, {}, '--authfile', 'here.json')).toContain('here.json');
    expect(await run(host, { REGISTRY_AUTH_FILE: join(cwd, 'named.json') })).toContain('named.json');
    expect(await run(host, { DOCKER_CONFIG: join(cwd, 'docker') })).toContain('docker/config.json');
    expect(await run(`https://${host}/v2/`, {})).toContain('~/.docker/config.json');
    expect(await run(`${host}/team`, { XDG_RUNTIME_DIR: join(cwd, 'run') })).toContain('run/containers/auth.json');
    expect(await run(`${host}/team/app`, {})).toContain('~/.config/containers/auth.json');
    const auth = { auth: pair('anna', 'correct horse') };
    for (const file of ['here.json', 'named.json', 'docker/config.json', 'home/.docker/config.json']) {
      expect(await readJson(join(cwd, file))).toEqual({ auths: { [host]: auth } });
    }
    const parts = await readJson(join(cwd, 'home/.config/containers/auth.json'));
    expect(parts).toEqual({ auths: { [`${host}/team/app`]: auth } });
  });

  it('gives the password to the helper of the file', async () => {
    const { host } = await startRegistry({ auth: basic });
    await mkdir(join(cwd, 'home/.docker'), { recursive: true });
    await writeFile(dockerFile(), '{"credsStore":"safe"}');
    const script = `#!/bin/sh\ncase $1 in store) cat > ${cwd}/kept ;; get) cat ${cwd}/kept ;; erase) cat > ${cwd}/erased; rm ${cwd}/kept ;; esac\n`;
    await writeFile(join(cwd, 'docker-credential-safe'), script);
    await chmod(join(cwd, 'docker-credential-safe'), 0o755);
    const said = await cli(['login', '-u', 'anna', '--password-stdin', host], { cwd, env, stdin: 'correct horse' });
    expect(said).toContain('kept by docker-credential-safe');
    expect(await readJson(join(cwd, 'kept'))).toEqual({ ServerURL: host, Username: 'anna', Secret: 'correct horse' });
    expect(await readJson(dockerFile())).toEqual({ credsStore: 'safe', auths: { [host]: {} } });
    const explained = await cli(['auth', 'explain', `${host}/app`], { cwd, env });
    expect(explained).toContain('credsStore = docker-credential-safe');
    expect(await cli(['logout', host], { cwd, env })).toContain(`removed ${host}`);
    expect(await readFile(join(cwd, 'erased'), 'utf8')).toBe(`${host}\n`);
    expect(await readJson(dockerFile())).toEqual({ credsStore: 'safe', auths: {} });
  });

  it('asks at a terminal, and does not show the password', async () => {
    const { host } = await startRegistry({ auth: basic });
    const stdin = terminal('annb\u007fa\u001b[D\rwrong\u0015correct horse\r');
    const { code, stdout, stderr } = await runCli(['login', host], { cwd, env, stdin });
    expect([code, stdout]).toEqual([0, expect.stringContaining(' as anna;')]);
    expect(stderr).toMatch(/Username: [\s\S]*Password: \n$/);
    expect(stderr).not.toMatch(/correct|wrong|horse/);
    expect(stdin.modes).toEqual([true, false]);
  });

  it.each(['\u0003', 'anna\r\u0003'])('gives the terminal back when it is interrupted (%j)', async typed => {
    const stdin = terminal(typed);
    expect((await runCli(['login', '127.0.0.1:1'], { cwd, env, stdin })).code).toBe(130);
    expect(stdin.modes).toEqual([true, false]);
  });

  it.each([
    [['login', '127.0.0.1:1']],
    [['login', '--password-stdin', '127.0.0.1:1']],
    [['login', '-u', 'a', '-p', 'b', '--password-stdin', '127.0.0.1:1']],
    [['login', '-u', 'a:b', '--password-stdin', '127.0.0.1:1']],
    [['login', '-u', 'a', '--password-stdin', 'team/app']],
    [['login', '-u', 'a', '--password-stdin', 'not a host.example']],
    [['login', '-u', 'a', '--password-stdin', '../x.example']],
  ])('is misused: %j', async argv => {
    const { code, stdout } = await runCli(argv, { cwd, env, stdin: 'x' });
    expect([code, stdout]).toEqual([2, '']);
  });

  it.each(['', '\n', 'two\nlines\n'])('takes %j for no password', async stdin => {
    const argv = ['login', '-u', 'a', '--password-stdin', '127.0.0.1:1'];
    expect((await runCli(argv, { cwd, env, stdin })).code).toBe(2);
  });

  it('warns of passwords among the arguments, of registries that ask nobody, and of places that come first', async () => {
    const { host } = await startRegistry();
    const text = JSON.stringify({ auths: { [host]: { auth: pair('other', 'x') } } });
    const options = { cwd, env: { ...env, DOCKER_AUTH_CONFIG: text } };
    const { code, stderr } = await runCli(['login', '-u', 'anna', '-p', 'hunter2', host], options);
    expect(code).toBe(0);
    expect(stderr.match(/^warning: /gm)).toHaveLength(3);
    expect(stderr).toContain('DOCKER_AUTH_CONFIG');
    expect(stderr).not.toContain('hunter2');
  });

  it('leaves a file alone that it cannot read', async () => {
    const { host } = await startRegistry({ auth: basic });
    await writeFile(join(cwd, 'broken.json'), '{"auths": secret');
    const argv = ['login', '-u', 'anna', '--password-stdin', '--authfile', 'broken.json', host];
    const { code, stderr } = await runCli(argv, { cwd, env, stdin: 'correct horse' });
    expect([code, stderr.includes('secret')]).toEqual([1, false]);
    expect(await readFile(join(cwd, 'broken.json'), 'utf8')).toBe('{"auths": secret');
  });
});

describe('logout', () => {
  it('forgets one, in all forms that are read, or all', async () => {
    const auth = { auth: pair('a', 'b') };
    const auths = {
      'https://index.docker.io/v1/': auth,
      'docker.io': auth,
      'docker.io/team': auth,
      'https://ghcr.io/v2/': auth,
      'ghcr.io.example': auth,
    };
    await writeFile(join(cwd, 'auth.json'), JSON.stringify({ auths, detachKeys: 'x' }));
    const run = (...args: string[]) => runCli(['logout', '--authfile', 'auth.json', ...args], { cwd, env });
    const left = async () => Object.keys((await readJson(join(cwd, 'auth.json')))['auths'] as object);
    expect((await run()).stdout.match(/removed/g)).toHaveLength(2);
    expect(await left()).toEqual(['docker.io/team', 'https://ghcr.io/v2/', 'ghcr.io.example']);
    expect((await run('ghcr.io')).stdout).toContain('https://ghcr.io/v2/');
    expect((await run('docker.io/team')).code).toBe(0);
    expect(await left()).toEqual(['ghcr.io.example']);
    expect(await run('quay.io')).toMatchObject({ code: 0, stdout: '' });
    await run('--all');
    expect(await readJson(join(cwd, 'auth.json'))).toEqual({ auths: {}, detachKeys: 'x' });
  });

  it('says where there are still credentials', async () => {
    const auths = { 'ghcr.io': { auth: pair('a', 'b') } };
    await mkdir(join(cwd, 'home/.docker'), { recursive: true });
    await writeFile(dockerFile(), JSON.stringify({ auths }));
    const DOCKER_AUTH_CONFIG = JSON.stringify({ auths });
    const { stdout, stderr } = await runCli(['logout', 'ghcr.io'], { cwd, env: { ...env, DOCKER_AUTH_CONFIG } });
    expect(stdout).toBe('removed ghcr.io from ~/.docker/config.json\n');
    expect(stderr).toContain('DOCKER_AUTH_CONFIG');
  });
});

describe('auth explain', () => {
  it('tells of all places in their order, and of no secret', async () => {
    await mkdir(join(cwd, 'home/.docker'), { recursive: true });
    await mkdir(join(cwd, 'home/.config/containers'), { recursive: true });
    const auths = { 'ghcr.io': { auth: pair('all', 'secret') }, 'ghcr.io/team': { auth: pair('robot', 'secret') } };
    await writeFile(join(cwd, 'home/.config/containers/auth.json'), JSON.stringify({ auths }));
    await writeFile(dockerFile(), JSON.stringify({ auths, credsStore: 'none' }));
    const argv = ['auth', 'explain', '--json', 'ghcr.io/team/app'];
    const text = await cli(argv, { cwd, env: { ...env, DOCKER_AUTH_CONFIG: '{"auths":{}}', GITHUB_TOKEN: 'secret' } });
    expect(text).not.toMatch(new RegExp(`secret|${pair('robot', 'secret')}`));
    const helpers = (which: string): string => `credential-helpers of registries.conf, ${which} the files`;
    expect(JSON.parse(text)).toEqual({
      registry: 'ghcr.io',
      repository: 'team/app',
      credential: { kind: 'password', username: 'robot' },
      places: [
        { place: 'LADING_AUTH_*', result: 'nothing', reason: expect.stringContaining('LADING_AUTH_GHCR_IO_PASSWORD') },
        { place: 'DOCKER_AUTH_CONFIG', result: 'nothing', reason: 'has nothing for ghcr.io' },
        { place: 'REGISTRY_AUTH_FILE', result: 'nothing', reason: 'is not set' },
        { place: helpers('before'), result: 'nothing', reason: 'names none' },
        { place: join(cwd, 'home/.config/containers/auth.json'), result: 'used', entry: 'auths["ghcr.io/team"]' },
        { place: dockerFile(), result: 'not-asked', entry: 'auths["ghcr.io/team"]' },
        { place: helpers('after'), result: 'nothing', reason: 'names none' },
        { place: 'GitHub', result: 'not-asked', entry: 'GITHUB_TOKEN' },
        ...['GitLab', 'AWS', 'Google Cloud', 'Azure'].map(place => ({
          place,
          result: 'nothing',
          reason: 'is not for ghcr.io',
        })),
      ],
    });
    const table = await cli(['auth', 'explain', 'ghcr.io/team/app'], { cwd, env });
    expect(table).toContain('ghcr.io/team/app: a password of robot\n');
    expect(table).toMatch(/~\/\.config\/containers\/auth\.json +used +auths\["ghcr\.io\/team"\]/);
  });

  it('tells what fails, and that the rest is not asked', async () => {
    await writeFile(join(cwd, 'auth.json'), '{"credsStore":"missing"}');
    const { code, stdout } = await runCli(['auth', 'explain', '--authfile', 'auth.json', 'debian'], { cwd, env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/anonymous\n[\s\S]*failed +docker-credential-missing: not found/);
  });
});
