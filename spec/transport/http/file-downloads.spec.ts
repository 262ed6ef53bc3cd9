import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebFile } from '../../../src/content/web-file.js';
import { isLadingError } from '../../../src/errors/errors.js';
import { openStore, type Store } from '../../../src/store/store.js';
import { type DownloadOptions, FileDownloads } from '../../../src/transport/http/file-downloads.js';
import type { HttpRetry } from '../../../src/transport/http/http.js';
import type { Timing } from '../../../src/transport/http/timing.js';
import { webAddress } from '../../../src/transport/http/web-address.js';
import { readAll } from '../../support/content-suite.js';
import { tempDir } from '../../support/temp-dir.js';
import { type WebServer, webServer } from '../../support/web-server.js';

const hurried: Timing = { now: () => 0, wait: async () => {}, random: () => 0 };
const seen: IncomingMessage[] = [];
const retries: HttpRetry[] = [];
let routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void>;
let server: WebServer;
let store: Store;
let downloads: FileDownloads;

beforeEach(async () => {
  seen.length = 0;
  retries.length = 0;
  routes = { '/file': (_, response) => response.end('content') };
  server = await webServer((request, response) => {
    seen.push(request);
    const route = routes[request.url!.replace(/\?.*/, '')];
    if (route === undefined) response.writeHead(404).end('nothing');
    else route(request, response);
  });
  store = await openStore(await tempDir());
  downloads = new FileDownloads({
    keep: (content, call) => store.putStream('application/octet-stream', content, call),
    timing: hurried,
    onRetry: retry => retries.push(retry),
  });
});
afterEach(async () => {
  await downloads.close();
  await store.close();
  await server.close();
});

async function fetch(path: string, options?: DownloadOptions): Promise<WebFile> {
  return await downloads.fetch(webAddress(path.startsWith('/') ? server.url + path : path), options);
}

async function text({ blob }: WebFile): Promise<string> {
  return (await readAll(await store.open(blob))).toString();
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    error => error,
  );
}

/** What is among the blobs, finished or not. */
function files(): string[] {
  return ['blobs', 'tmp']
    .map(name => join(store.root, name))
    .filter(folder => existsSync(folder))
    .flatMap(folder => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));
}

describe('FileDownloads', () => {
  it('keeps the bytes, and knows their number, digest, tag and time', async () => {
    const headers = { 'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT', etag: 'W/"a"' };
    routes['/dated'] = (_, response) => response.writeHead(200, headers).end('dated');
    const progress: Array<[number, number | undefined]> = [];
    const onProgress = (bytes: number, total: number | undefined): void => void progress.push([bytes, total]);
    const file = await fetch('/file', { onProgress });
    expect(await text(file)).toBe('content');
    const digest = `sha256:${createHash('sha256').update('content').digest('hex')}`;
    expect(file).toEqual({ blob: { mediaType: 'application/octet-stream', size: 7, digest } });
    expect(progress).toEqual([[7, 7]]);
    expect(await fetch('/dated')).toMatchObject({ etag: 'W/"a"', lastModified: 1_445_412_480 });
  });

  it('takes no time that depends on where it is read', async () => {
    routes['/odd'] = (_, response) => response.writeHead(200, { 'last-modified': '2015-10-21 07:28:00' }).end('x');
    expect((await fetch('/odd')).lastModified).toBeUndefined();
  });

  it.each(['abc', '*', '"a", "b"', '"a b"', 'w/"a"', ''])('takes no tag that is none: %s', async etag => {
    routes['/odd'] = (_, response) => response.writeHead(200, { etag }).end('x');
    expect((await fetch('/odd')).etag).toBeUndefined();
  });

  it('takes a file as it is stored, however it is encoded', async () => {
    const bytes = gzipSync('content');
    routes['/packed'] = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes);
    const { blob } = await fetch('/packed');
    expect((await readAll(await store.open(blob))).equals(bytes)).toBe(true);
    expect(seen[0]?.headers['accept-encoding']).toBe('identity');
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
      expect(await text(await fetch(address))).toBe('elsewhere');
    } finally {
      await other.close();
    }
    const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(seen.map(request => request.headers.authorization)).toEqual([basic, basic, undefined]);
    expect(seen.map(request => request.headers['accept-encoding'])).toEqual(['identity', 'identity', 'identity']);
  });

  it('follows ten redirects', async () => {
    routes['/hop'] = (request, response) => {
      const left = Number(request.url!.replace(/.*\?/, ''));
      response.writeHead(302, { location: left === 0 ? '/file' : `/hop?${left - 1}` }).end();
    };
    expect(await text(await fetch('/hop?9'))).toBe('content');
    expect(isLadingError(await failure(fetch('/hop?10')), 'REMOTE_FILE')).toBe(true);
  });

  it.each(['/round', '/missing', '/file-url', '/nowhere', '/unasked', '/part'])(
    'fails without a secret for %s',
    async path => {
      routes['/round'] = (_, response) => response.writeHead(302, { location: '/round' }).end();
      routes['/file-url'] = (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      routes['/nowhere'] = (_, response) => response.writeHead(302, { location: 'http://[broken' }).end();
      routes['/part'] = (_, response) => response.writeHead(206, { 'content-range': 'bytes 0-1/9' }).end('pa');
      routes['/unasked'] = (_, response) => response.writeHead(304, { etag: '"a"' }).end();
      const address = `${server.url.replace('://', '://user:hunter2@')}${path}?signature=hunter2`;
      const error = await failure(fetch(address));
      expect(isLadingError(error, 'REMOTE_FILE'), String(error)).toBe(true);
      expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
      expect(files()).toEqual([]);
    },
  );

  it('tries again what may pass, and no more often than that', async () => {
    let busy = 2;
    routes['/busy'] = (_, response) => response.writeHead(busy-- > 0 ? 503 : 200).end('content');
    expect(await text(await fetch('/busy'))).toBe('content');
    expect(retries.map(({ reason }) => reason)).toEqual(['status 503', 'status 503']);
    busy = 100;
    expect(await failure(fetch('/busy'))).toMatchObject({ code: 'REMOTE_FILE', details: { status: 503 } });
    expect(seen).toHaveLength(8);
  });

  it('begins a download again that breaks off, and gives up in the end', async () => {
    let broken = 1;
    routes['/cut'] = (_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      if (broken-- > 0) response.write('12345', () => response.destroy());
      else response.end('1234567890');
    };
    expect(await text(await fetch('/cut'))).toBe('1234567890');
    broken = 100;
    const error = await failure(fetch('/cut?again'));
    expect(isLadingError(error, 'REMOTE_FILE')).toBe(true);
    expect(seen).toHaveLength(5);
    expect(files()).toHaveLength(1);
  });

  it('says that nobody answers', async () => {
    await server.close();
    expect(isLadingError(await failure(fetch('/file')), 'REMOTE_FILE')).toBe(true);
  });

  it('ends at once when it is told to, and leaves nothing', async () => {
    const controller = new AbortController();
    routes['/slow'] = (_, response) => void response.writeHead(200, { 'content-length': 10 }).write('1');
    const onProgress = (): void => controller.abort(new Error('enough'));
    const error = await failure(fetch('/slow', { signal: controller.signal, onProgress }));
    expect(String(error)).toContain('enough');
    expect(files()).toEqual([]);
  });
});

describe('a file that is known', () => {
  let known: WebFile;
  let now: { etag?: string; body: string; conditions: boolean };
  const modified = { 'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT' };

  beforeEach(async () => {
    now = { etag: '"1"', body: 'content', conditions: true };
    routes['/file'] = (request, response) => {
      const { etag, body, conditions } = now;
      const headers = { ...modified, ...(etag === undefined ? {} : { etag }) };
      if (conditions && etag !== undefined && request.headers['if-none-match'] === etag)
        response.writeHead(304, headers).end();
      else response.writeHead(200, headers).end(body);
    };
    known = await fetch('/file');
    seen.length = 0;
  });

  it('is not sent again', async () => {
    const progress: number[] = [];
    expect(await fetch('/file', { known, onProgress: bytes => progress.push(bytes) })).toEqual(known);
    expect(seen.map(({ method, headers }) => [method, headers['if-none-match']])).toEqual([['GET', '"1"']]);
    expect(progress).toEqual([]);
  });

  it('is not read again from a server that knows no conditions', async () => {
    now = { ...now, conditions: false, etag: 'W/"1"', body: 'x'.repeat(1_000_000) };
    expect((await fetch('/file', { known })).blob).toEqual(known.blob);
  });

  it('is another one with another tag, or none', async () => {
    for (const [etag, body] of [
      ['"2"', 'second'],
      [undefined, 'third'],
    ] as const) {
      now = { body, conditions: true, ...(etag === undefined ? {} : { etag }) };
      const file = await fetch('/file', { known });
      expect(await text(file)).toBe(body);
      expect(file.etag).toBe(etag);
    }
  });

  it('without a tag is read again: times are too coarse', async () => {
    const { blob, lastModified } = known;
    await fetch('/file', { known: { blob, lastModified } });
    expect(seen.map(({ headers }) => [headers['if-none-match'], headers['if-modified-since']])).toEqual([
      [undefined, undefined],
    ]);
  });

  it('is asked for without a condition when the answer is about another one', async () => {
    routes['/file'] = (request, response) => {
      if (request.headers['if-none-match'] !== undefined) response.writeHead(304, { etag: '"other"' }).end();
      else response.end('fresh');
    };
    expect(await text(await fetch('/file', { known }))).toBe('fresh');
  });

  it('is known behind a redirect to another server too', async () => {
    const other = await webServer((request, response) => {
      seen.push(request);
      const { 'if-none-match': condition } = request.headers;
      response.writeHead(condition === '"1"' ? 304 : 200).end();
    });
    routes['/moved'] = (_, response) => response.writeHead(302, { location: `${other.url}/file` }).end();
    try {
      expect((await fetch('/moved', { known })).blob).toEqual(known.blob);
    } finally {
      await other.close();
    }
    expect(seen).toHaveLength(2);
  });
});
