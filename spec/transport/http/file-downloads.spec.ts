import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLadingError } from '../../../src/errors/errors.js';
import { FileDownloads } from '../../../src/transport/http/file-downloads.js';
import type { Timing } from '../../../src/transport/http/timing.js';
import { tempDir } from '../../support/temp-dir.js';
import { type WebServer, webServer } from '../../support/web-server.js';

const hurried: Timing = { now: () => 0, wait: async () => {}, random: () => 0 };
const seen: IncomingMessage[] = [];
let routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void>;
let server: WebServer;
let downloads: FileDownloads;

beforeEach(async () => {
  seen.length = 0;
  routes = { '/file': (_, response) => response.end('content') };
  server = await webServer((request, response) => {
    seen.push(request);
    const route = routes[request.url!.replace(/\?.*/, '')];
    if (route === undefined) response.writeHead(404).end('nothing');
    else route(request, response);
  });
  downloads = new FileDownloads({ directory: await tempDir(), timing: hurried });
});
afterEach(async () => {
  await downloads.close();
  await server.close();
});

async function failure(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    error => error,
  );
}

describe('FileDownloads', () => {
  it('keeps the bytes, and knows their number, digest and time', async () => {
    routes['/dated'] = (_, response) =>
      response.writeHead(200, { 'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT' }).end('dated');
    const progress: Array<[number, number | undefined]> = [];
    const onProgress = (bytes: number, total: number | undefined): void => void progress.push([bytes, total]);
    const file = await downloads.fetch(`${server.url}/file`, { onProgress });
    expect(readFileSync(file.path, 'utf8')).toBe('content');
    const digest = `sha256:${createHash('sha256').update('content').digest('hex')}`;
    expect(file).toEqual({ path: file.path, size: 7, digest, lastModified: undefined });
    expect(progress).toEqual([[7, 7]]);
    expect((await downloads.fetch(`${server.url}/dated`)).lastModified).toBe(1_445_412_480);
  });

  it('takes no time that depends on where it is read', async () => {
    routes['/odd'] = (_, response) => response.writeHead(200, { 'last-modified': '2015-10-21 07:28:00' }).end('x');
    expect((await downloads.fetch(`${server.url}/odd`)).lastModified).toBeUndefined();
  });

  it('asks for each address once', async () => {
    const files = await Promise.all([1, 2].map(() => downloads.fetch(`${server.url}/file`)));
    expect(files[0]).toBe(files[1]);
    await downloads.fetch(`${server.url}/file`);
    expect(seen).toHaveLength(1);
  });

  it('follows redirects, and takes the password along only where it belongs', async () => {
    const other = await webServer((request, response) => {
      seen.push(request);
      response.end('elsewhere');
    });
    routes['/here'] = (_, response) => response.writeHead(302, { location: '/there' }).end();
    routes['/there'] = (_, response) => response.writeHead(301, { location: `${other.url}/end` }).end();
    const address = `${server.url.replace('://', '://me:p%40ss@')}/here`;
    try {
      expect(readFileSync((await downloads.fetch(address)).path, 'utf8')).toBe('elsewhere');
    } finally {
      await other.close();
    }
    const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(seen.map(request => request.headers.authorization)).toEqual([basic, basic, undefined]);
  });

  it.each([
    ['/round', 'REMOTE_FILE'],
    ['/missing', 'REMOTE_FILE'],
    ['/file-url', 'REMOTE_FILE'],
    ['/nowhere', 'REMOTE_FILE'],
  ] as const)('fails without a secret for %s', async (path, code) => {
    routes['/round'] = (_, response) => response.writeHead(302, { location: '/round' }).end();
    routes['/file-url'] = (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    routes['/nowhere'] = (_, response) => response.writeHead(302, { location: 'http://[broken' }).end();
    const address = `${server.url.replace('://', '://user:hunter2@')}${path}?signature=hunter2`;
    const error = await failure(downloads.fetch(address));
    expect(isLadingError(error, code), String(error)).toBe(true);
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
  });

  it('refuses what is no address of the web', async () => {
    for (const address of ['file:///etc/passwd', 'http://', 'ftp://a/b']) {
      const error = await failure(Promise.resolve().then(() => downloads.fetch(address)));
      expect(isLadingError(error, 'INVALID_VALUE'), address).toBe(true);
    }
  });

  it('begins a download again that breaks off, and gives up in the end', async () => {
    let broken = 1;
    routes['/cut'] = (_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      if (broken-- > 0) response.write('12345', () => response.destroy());
      else response.end('1234567890');
    };
    const file = await downloads.fetch(`${server.url}/cut`);
    expect(readFileSync(file.path, 'utf8')).toBe('1234567890');
    broken = 100;
    const error = await failure(downloads.fetch(`${server.url}/cut?again`));
    expect(isLadingError(error, 'REMOTE_FILE')).toBe(true);
    expect(seen).toHaveLength(5);
  });

  it('says that nobody answers', async () => {
    await server.close();
    const error = await failure(downloads.fetch(`${server.url}/file`));
    expect(isLadingError(error, 'REMOTE_FILE')).toBe(true);
  });

  it('ends at once when it is told to', async () => {
    const controller = new AbortController();
    routes['/slow'] = (_, response) => void response.writeHead(200, { 'content-length': 10 }).write('1');
    const onProgress = (): void => controller.abort(new Error('enough'));
    const error = await failure(downloads.fetch(`${server.url}/slow`, { signal: controller.signal, onProgress }));
    expect(String(error)).toContain('enough');
  });
});
