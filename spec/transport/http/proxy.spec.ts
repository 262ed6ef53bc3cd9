import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../../src/errors/errors.js';
import { type ProxySettings, proxyFor } from '../../../src/transport/http/proxy.js';

const both: ProxySettings = { http: 'http://plain.example:1', https: 'http://secure.example:2' };

function asks(address: string, noProxy?: string): boolean {
  return proxyFor(new URL(address), { ...both, noProxy }) !== undefined;
}

describe('proxyFor', () => {
  it.each([
    ['http://a.example', both, 'http://plain.example:1'],
    ['https://a.example', both, 'http://secure.example:2'],
    ['https://a.example', { http: 'x:1' }, undefined],
    ['http://a.example', { http: '' }, undefined],
    ['http://a.example', { http: ' ' }, undefined],
    ['http://a.example', {}, undefined],
    ['http://a.example', { http: 'proxy.example:3128' }, 'http://proxy.example:3128'],
    ['http://a.example', { http: 'proxy.example' }, 'http://proxy.example'],
    ['http://a.example', { http: '10.0.0.1:80' }, 'http://10.0.0.1'],
    ['http://a.example', { http: 'https://proxy.example/path' }, 'https://proxy.example'],
    ['http://a.example', { http: 'HTTP://[::2]:8' }, 'http://[::2]:8'],
  ] as const)('for %s with %j is %s', (address, settings, origin) => {
    expect(proxyFor(new URL(address), settings)?.origin).toBe(origin);
  });

  it.each([
    ['http://me:p%40ss@proxy.example', 'me:p@ss'],
    ['me:pass@proxy.example:1', 'me:pass'],
    ['http://me@proxy.example', 'me:'],
    ['http://me:100%@proxy.example', 'me:100%'],
  ])('%s tells the proxy who asks', (http, plain) => {
    const proxy = proxyFor(new URL('http://a.example'), { http });
    expect(proxy?.authorization).toBe(`Basic ${Buffer.from(plain).toString('base64')}`);
    expect(proxy?.origin).not.toContain('me');
  });

  it.each(['http://localhost', 'https://LOCALHOST:1', 'http://127.0.0.1:1', 'http://127.9.9.9', 'http://[::1]:1'])(
    'is none for %s, whatever the settings',
    address => {
      expect(asks(address)).toBe(false);
    },
  );

  it.each([
    ['http://a.example', '*', false],
    ['http://a.example', 'other, *', false],
    ['http://a.example', 'a.example', false],
    ['http://A.EXAMPLE', 'a.example', false],
    ['http://a.example', 'A.Example', false],
    ['http://b.a.example', 'a.example', false],
    ['http://ba.example', 'a.example', true],
    ['http://b.a.example', '.a.example', false],
    ['http://a.example', '.a.example', true],
    ['http://b.a.example', '*.a.example', false],
    ['http://a.example', '*.a.example', true],
    ['http://a.example', 'example', false],
    ['http://a.example:8080', 'a.example:8080', false],
    ['http://a.example', 'a.example:8080', true],
    ['http://a.example', 'a.example:80', false],
    ['https://a.example', 'a.example:443', false],
    ['http://a.example', 'x,  b y\ta.example', false],
    ['http://a.example', ',,', true],
    ['http://a.example', '', true],
    ['http://10.1.2.3', '10.1.2.3', false],
    ['http://10.1.2.3', '10.1.2.30', true],
    ['http://10.1.2.3:81', '10.1.2.3:80', true],
    ['http://10.1.2.3', '10.0.0.0/8', false],
    ['http://11.1.2.3', '10.0.0.0/8', true],
    ['http://a.example', '10.0.0.0/8', true],
    ['http://a.example', '0.0.0.0/0', true],
    ['http://10.1.2.3', '10.0.0.0/33', true],
    ['http://10.1.2.3', 'nonsense/8', true],
    ['http://[fd00::1]', 'fd00::1', false],
    ['http://[fd00::1]', 'fd00:0::0001', false],
    ['http://[fd00::1]:81', '[fd00::1]:81', false],
    ['http://[fd00::1]:81', '[fd00::1]:80', true],
    ['http://[fd00::1]', 'fd00::/8', false],
    ['http://[fe00::1]', 'fd00::/8', true],
  ])('for %s without %j: %s', (address, noProxy, expected) => {
    expect(asks(address, noProxy)).toBe(expected);
  });

  it.each([
    ['socks5://me:canary@h:1', 'UNSUPPORTED'],
    ['ftp://me:canary@h:1', 'UNSUPPORTED'],
    ['http://me:canary canary@h ost', 'INVALID_VALUE'],
    ['http://', 'INVALID_VALUE'],
  ] as const)('refuses %s without repeating a password', (https, code) => {
    let caught: unknown;
    try {
      proxyFor(new URL('https://a.example'), { https });
    } catch (error) {
      caught = error;
    }
    expect(isLadingError(caught, code), String(caught)).toBe(true);
    expect(String(caught) + JSON.stringify(caught)).not.toContain('canary');
  });
});
