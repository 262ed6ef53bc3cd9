import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Dispatcher, type Exchange } from '../../../src/transport/http/dispatcher.js';
import { networkCode } from '../../../src/transport/http/network-error.js';
import { readAll } from '../../support/content-suite.js';
import { type ProxyServer, type ProxyServerOptions, proxyServer } from '../../support/proxy-server.js';
import { selfSigned } from '../../support/self-signed.js';
import { type WebServer, webServer } from '../../support/web-server.js';

const seen: Array<Record<string, unknown>> = [];
const unverified = { verify: false };
let plain: WebServer;
let secure: ReturnType<typeof createTlsServer>;
let hosts: Record<string, number>;

beforeEach(async () => {
  seen.length = 0;
  plain = await webServer((request, response) => {
    seen.push({ url: request.url, ...request.headers });
    request.pipe(response);
  });
  secure = createTlsServer(selfSigned, (request, response) => {
    seen.push({ url: request.url, ...request.headers });
    request.pipe(response);
  });
  await new Promise<void>(resolve => secure.listen(0, '127.0.0.1', resolve));
  const { port } = secure.address() as AddressInfo;
  hosts = { 'files.example': Number(new URL(plain.url).port), 'secure.example': port };
});
afterEach(async () => {
  await plain.close();
  secure.closeAllConnections();
  await new Promise(resolve => secure.close(resolve));
});

async function proxied(
  options: Partial<ProxyServerOptions> = {},
  address = (url: string): string => url,
): Promise<{ proxy: ProxyServer; dispatcher: Dispatcher }> {
  const proxy = await proxyServer({ hosts, ...options });
  onTestFinished(() => proxy.close());
  const url = address(proxy.url);
  const dispatcher = new Dispatcher({ proxy: { http: url, https: url }, connectTimeoutMs: 500 });
  onTestFinished(() => dispatcher.close());
  return { proxy, dispatcher };
}

async function ask(dispatcher: Dispatcher, url: string, more: Partial<Exchange> = {}): Promise<string> {
  const request: Exchange = { method: 'GET', url: new URL(url), headers: {}, tls: unverified, ...more };
  return (await readAll((await dispatcher.exchange(request)).body)).toString();
}

async function failure(work: Promise<unknown>): Promise<Error> {
  return await work.then(
    () => new Error('it did not fail'),
    error => error,
  );
}

describe('through a proxy', () => {
  it('asks for http by its whole address, and for https in a tunnel', async () => {
    const { proxy, dispatcher } = await proxied();
    const body = Buffer.from('body');
    const headers = { authorization: 'mine' };
    const more = { method: 'PUT', body, headers } as const;
    expect(await ask(dispatcher, 'http://files.example/a%20b?c=d', more)).toBe('body');
    expect(await ask(dispatcher, 'https://secure.example/e?f', more)).toBe('body');
    expect(proxy.asked).toEqual(['PUT http://files.example/a%20b?c=d', 'CONNECT secure.example:443']);
    expect(seen).toMatchObject([
      { url: '/a%20b?c=d', host: 'files.example', authorization: 'mine' },
      { url: '/e?f', host: 'secure.example', authorization: 'mine' },
    ]);
  });

  it('uses a tunnel again', async () => {
    const { proxy, dispatcher } = await proxied();
    await ask(dispatcher, 'https://secure.example/1');
    await new Promise(resolve => setTimeout(resolve, 20));
    await ask(dispatcher, 'https://secure.example/2');
    expect(proxy.asked).toEqual(['CONNECT secure.example:443']);
  });

  it('tells the proxy, and nobody else, the user and password of its address', async () => {
    const { dispatcher } = await proxied({ account: 'me:p@ss' }, url => url.replace('://', '://me:p%40ss@'));
    await ask(dispatcher, 'http://files.example/');
    await ask(dispatcher, 'https://secure.example/');
    expect(seen).toHaveLength(2);
    for (const headers of seen) expect(Object.keys(headers)).not.toContain('proxy-authorization');
  });

  it('checks the certificate of the server, not of the proxy, behind a tunnel', async () => {
    const { dispatcher } = await proxied();
    const error = await failure(ask(dispatcher, 'https://secure.example/', { tls: { verify: true } }));
    expect(networkCode(error)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(seen).toEqual([]);
  });

  it.each(['http://files.example/', 'https://secure.example/'])(
    'checks the certificate of a proxy that speaks TLS (%s)',
    async address => {
      const { proxy, dispatcher } = await proxied({ tls: selfSigned }, url => url.replace('127.0.0.1', 'localhost'));
      const error = await failure(ask(dispatcher, address));
      expect(networkCode(error)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
      expect(proxy.asked).toEqual([]);
    },
  );

  it.each([
    ['http://files.example/', { account: 'a:b' }],
    ['https://secure.example/', { account: 'a:b' }],
    ['https://unknown.example/', {}],
  ])('fails, and says where, when the proxy refuses %s %j', async (address, options) => {
    const { proxy, dispatcher } = await proxied(options, url => url.replace('://', '://me:canary@'));
    const error = await failure(ask(dispatcher, address));
    expect(error.message).toContain(proxy.url);
    expect(String((error.cause as Error).message)).toMatch(/407|502/);
    expect(networkCode(error)).toBeUndefined();
    expect(`${error.stack} ${(error.cause as Error).stack}`).not.toContain('canary');
  });

  it.each(['http://files.example/', 'https://secure.example/'])('fails when no proxy is there (%s)', async address => {
    const { proxy, dispatcher } = await proxied();
    await proxy.close();
    const error = await failure(ask(dispatcher, address));
    expect(error.message).toContain(proxy.url);
    expect(networkCode(error)).toBe('ECONNREFUSED');
  });

  it('waits no longer for a tunnel than for a connection', async () => {
    const { dispatcher } = await proxied({ silent: true });
    const error = await failure(ask(dispatcher, 'https://secure.example/'));
    expect(networkCode(error)).toBe('UND_ERR_HEADERS_TIMEOUT');
  });

  it('ends at once when it is told to, and closes every connection', async () => {
    const { proxy, dispatcher } = await proxied({ silent: true });
    const controller = new AbortController();
    const work = failure(ask(dispatcher, 'https://secure.example/', { signal: controller.signal }));
    while (proxy.asked.length === 0) await new Promise(resolve => setTimeout(resolve, 5));
    controller.abort(new Error('enough'));
    await work;
    const other = await proxied();
    await ask(other.dispatcher, 'https://secure.example/');
    await ask(other.dispatcher, 'http://files.example/');
    expect(await other.proxy.connections()).toBeGreaterThan(0);
    await dispatcher.close();
    await other.dispatcher.close();
    for (const { connections } of [proxy, other.proxy]) {
      for (let i = 0; (await connections()) > 0 && i < 100; i++) await new Promise(resolve => setTimeout(resolve, 10));
      expect(await connections()).toBe(0);
    }
  });

  it('asks this machine, and what is exempt, directly', async () => {
    const { proxy } = await proxied();
    const dispatcher = new Dispatcher({ proxy: { http: proxy.url, https: proxy.url, noProxy: '0.0.0.0' } });
    onTestFinished(() => dispatcher.close());
    expect(await ask(dispatcher, `${plain.url}/`)).toBe('');
    expect(await ask(dispatcher, `${plain.url.replace('127.0.0.1', '0.0.0.0')}/`)).toBe('');
    expect(seen).toHaveLength(2);
    expect(proxy.asked).toEqual([]);
  });
});
