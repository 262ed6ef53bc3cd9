import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RegistryServer } from '../../src/testing/registry-server.js';
import { bundledProgram } from '../support/bundled-program.js';
import { type ProxyServer, type ProxyServerOptions, proxyServer } from '../support/proxy-server.js';
import { runCli } from '../support/run-cli.js';
import { selfSigned } from '../support/self-signed.js';
import { tempDir } from '../support/temp-dir.js';
import { webServer } from '../support/web-server.js';

const canary = 'canary-5e02';
const seen: Array<string | undefined> = [];
let program: string;
let authority: string;
let cwd: string;
let server: Server;

beforeAll(async () => {
  const folder = await tempDir();
  program = await bundledProgram(folder);
  authority = join(folder, 'authority.pem');
  await writeFile(authority, selfSigned.cert);
});
beforeEach(async () => {
  seen.length = 0;
  cwd = await tempDir();
  await mkdir(join(cwd, 'app'));
  server = createServer(selfSigned, (request, response) => {
    seen.push(request.headers.authorization);
    response.end('content');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
});

async function proxy(options: Partial<ProxyServerOptions> = {}): Promise<ProxyServer> {
  const { port } = server.address() as AddressInfo;
  const made = await proxyServer({ hosts: { 'files.example': port }, ...options });
  onTestFinished(() => made.close());
  return made;
}

/** As a process of its own: which authorities are trusted is settled when Node starts. */
async function build(env: Readonly<Record<string, string>>, more: readonly string[] = []) {
  const args = ['build', '--debug', '--compression', 'none', ...more, 'app'];
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { LADING_ROOT: join(cwd, 'store'), NODE_EXTRA_CA_CERTS: authority, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk));
  const code = await new Promise<number | null>(resolve => child.on('close', resolve));
  return { code, output };
}

function storeText(): string {
  return readdirSync(join(cwd, 'store'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

const withAccount = (url: string): string => url.replace('://', `://me:${canary}@`);

describe('ADD through the proxies of the environment', () => {
  beforeEach(() => writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nADD https://files.example/file /\n'));

  it.each(['HTTPS_PROXY', 'https_proxy'])('%s makes a tunnel, and its password shows up nowhere', async name => {
    const { url, asked } = await proxy({ account: `me:${canary}` });
    const { code, output } = await build({ [name]: withAccount(url) });
    expect(code, output).toBe(0);
    expect(asked).toEqual(['CONNECT files.example:443']);
    expect(seen).toEqual([undefined]);
    expect(output + storeText()).not.toContain(canary);
  });

  it('a proxy that speaks TLS is checked, and used', async () => {
    const { url, asked } = await proxy({ tls: selfSigned });
    const { code, output } = await build({ HTTPS_PROXY: url.replace('127.0.0.1', 'localhost') });
    expect(code, output).toBe(0);
    expect(asked).toEqual(['CONNECT files.example:443']);
  });

  it('NO_PROXY says who is asked directly', async () => {
    const { url, asked } = await proxy();
    const { code, output } = await build({ HTTPS_PROXY: url, NO_PROXY: '.example' });
    expect(code).toBe(1);
    expect(output).toContain('[REMOTE_FILE]');
    expect(output).not.toContain(url);
    expect(asked).toEqual([]);
  }, 30_000);

  it('leads from https to http, and takes no secret there', async () => {
    const plain = await webServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('content');
    });
    onTestFinished(() => plain.close());
    server.removeAllListeners('request');
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { location: 'http://plain.example/file' }).end();
    });
    const { port } = server.address() as AddressInfo;
    const hosts = { 'files.example': port, 'plain.example': Number(new URL(plain.url).port) };
    const { url, asked } = await proxy({ hosts });
    await writeFile(join(cwd, 'token'), canary);
    const secret = ['--secret', 'id=HTTP_AUTH_TOKEN_files.example,src=token'];
    const { code, output } = await build({ HTTPS_PROXY: url, HTTP_PROXY: url }, secret);
    expect(code, output).toBe(0);
    expect(asked).toEqual(['CONNECT files.example:443', 'GET http://plain.example/file']);
    expect(seen).toEqual([`Bearer ${canary}`, undefined]);
    expect(output + storeText()).not.toContain(canary);
  });

  it('fails without a password when the proxy refuses it', async () => {
    const { url } = await proxy({ account: 'other:account' });
    const { code, output } = await build({ HTTPS_PROXY: withAccount(url) });
    expect(code).toBe(1);
    expect(output).toContain(url);
    expect(output).toContain('407');
    expect(output + storeText()).not.toContain(canary);
    expect(output).not.toContain(Buffer.from(`me:${canary}`).toString('base64'));
  });

  it.each([
    ['socks5://me:canary-5e02@127.0.0.1:1', 'UNSUPPORTED'],
    ['http://me:canary-5e02@h ost', 'INVALID_VALUE'],
  ])('%s is refused', async (address, code) => {
    const { code: exit, output } = await build({ HTTPS_PROXY: address });
    expect(exit).toBe(1);
    expect(output).toContain(`[${code}]`);
    expect(output).not.toContain(canary);
  });
});

describe('a registry through the proxies of the environment', () => {
  it('is pushed to and pulled from in tunnels', async () => {
    const auth = { kind: 'basic', username: 'me', password: 'registry-password' } as const;
    const registry = await RegistryServer.start({ tls: selfSigned, auth, uploadLocation: 'relative' });
    onTestFinished(() => registry.stop());
    const port = Number(registry.host.replace(/.*:/, ''));
    const { url, asked } = await proxy({ hosts: { 'registry.example': port }, account: `me:${canary}` });
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
    const login = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
    await writeFile(join(cwd, 'config.json'), JSON.stringify({ auths: { 'registry.example': { auth: login } } }));
    const env = { DOCKER_CONFIG: cwd, HTTPS_PROXY: withAccount(url) };
    const name = 'registry.example/app:1';
    const pushed = await runCli(['build', '--insecure', '-t', name, '--push', 'app'], { cwd, env });
    expect(pushed.code, pushed.stderr).toBe(0);
    const second = { cwd, env: { ...env, LADING_ROOT: join(cwd, 'second') } };
    const pulled = await runCli(['pull', '-q', '--insecure', name], second);
    expect(pulled.code, pulled.stderr).toBe(0);
    expect(pulled.stdout).toBe(pushed.stdout);
    expect(new Set(asked)).toEqual(new Set(['CONNECT registry.example:443']));
    expect(pushed.stderr + pulled.stderr).not.toContain(canary);
  });
});
