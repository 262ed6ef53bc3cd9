import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';
import { type WebServer, webServer } from '../support/web-server.js';

const canary = 'canary-8c1f5d';
const seen: IncomingMessage[] = [];
let cwd: string;
let server: WebServer;
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  cwd = await tempDir();
  seen.length = 0;
  answer = (_, response) => response.end('content');
  server = await webServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await mkdir(join(cwd, 'app'));
  await writeFile(join(cwd, 'token'), `${canary}\n`);
  await writeFile(join(cwd, 'app', 'Dockerfile'), `FROM scratch\nADD ${server.url}/file /file\n`);
});
afterEach(() => server.close());

const asHeader = ['--secret', 'id=HTTP_AUTH_HEADER_127.0.0.1,env=HEADER'];
const asToken = ['--secret', 'id=HTTP_AUTH_TOKEN_127.0.0.1,src=token'];
const env = { HEADER: `Basic ${canary}` };

async function build(args: readonly string[], variables: Readonly<Record<string, string>> = env) {
  const base = ['build', '--debug', '--compression', 'none', '--metadata-file', 'meta.json'];
  return await runCli([...base, ...args, 'app'], { cwd, env: variables });
}

/** Names of the files below a folder that hold a text. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => readFileSync(path).includes(text));
}

describe('--secret', () => {
  it.each([
    [asHeader, `Basic ${canary}`],
    [asToken, `Bearer ${canary}`],
    [[...asToken, ...asHeader], `Bearer ${canary}`],
    [['--secret', 'id=HTTP_AUTH_TOKEN_other.example,src=token'], undefined],
    [['--secret', 'id=HTTP_AUTH_TOKEN_127.0.0.1,env=UNSET'], undefined],
  ])('%j tells a server who asks', async (args, authorization) => {
    const { code, stderr } = await build(args);
    expect(code, stderr).toBe(0);
    expect(seen.map(request => request.headers.authorization)).toEqual([authorization]);
  });

  it('wins over the user and password of the address', async () => {
    const address = server.url.replace('://', '://me:pw@');
    await writeFile(join(cwd, 'app', 'Dockerfile'), `FROM scratch\nADD ${address}/file /file\n`);
    expect((await build(asToken)).code).toBe(0);
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${canary}`);
  });

  it('serves for a context too', async () => {
    answer = (_, response) => response.end('FROM scratch\nLABEL a=b\n');
    await cli(['build', ...asToken, `${server.url}/Dockerfile`], { cwd });
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${canary}`);
  });

  it('goes to no other server, and no other port', async () => {
    const other = await webServer((request, response) => {
      seen.push(request);
      response.writeHead(302, { location: `${server.url}/back` }).end();
    });
    answer = (request, response) => {
      if (request.url === '/back') response.end('content');
      else response.writeHead(302, { location: `${other.url}/file` }).end();
    };
    try {
      expect((await build(asToken)).code).toBe(0);
    } finally {
      await other.close();
    }
    expect(seen.map(request => request.headers.authorization)).toEqual([`Bearer ${canary}`, undefined, undefined]);
  });

  const ways: ReadonlyArray<readonly [string, number, typeof answer, string]> = [
    ['is not wanted', 0, (_, response) => response.end('content'), canary],
    ['is not enough', 1, (_, response) => response.writeHead(401).end('no'), canary],
    ['meets a broken connection', 1, request => request.socket.destroy(), canary],
    ['meets what is no HTTP', 1, request => request.socket.end(`HTTP/9 ${canary}\r\n\r\n`), canary],
    ['is more than a line', 1, (_, response) => response.end(), `${canary}\r\nX-Injected: ${canary}`],
    ['is too long for a header', 1, (_, response) => response.end(), `${canary}${'x'.repeat(100_000)}`],
  ];
  it.each(ways)(
    'that %s shows up nowhere',
    async (_, exit, answering, secret) => {
      answer = answering;
      await writeFile(join(cwd, 'secret'), secret);
      const args = ['--secret', 'id=HTTP_AUTH_TOKEN_127.0.0.1,src=secret', '--secret', 'id=unused,src=secret'];
      for (const progress of ['plain', 'json']) {
        const { code, stdout, stderr } = await build([...args, '--progress', progress]);
        expect(code, stderr).toBe(exit);
        expect(stdout + stderr).not.toContain(canary);
      }
      expect(filesWith(join(cwd, 'store'), canary)).toEqual([]);
      expect(filesWith(cwd, canary)).toEqual([join(cwd, 'secret'), join(cwd, 'token')]);
    },
    30_000,
  );

  it.each([
    ['id=a,src=missing', 1, 'IO'],
    ['id=a', 1, 'IO'],
    ['src=token', 2, 'USAGE'],
    ['id=a,value=canary-8c1f5d', 2, 'USAGE'],
  ])('%s ends with %d before anything is built', async (text, exit, name) => {
    const { code, stderr } = await build(['--secret', text]);
    expect([code, stderr.includes(`[${name}]`), stderr.includes(canary)]).toEqual([exit, true, false]);
    expect(seen).toHaveLength(0);
  });
});
