import { describe, expect, it } from 'vitest';
import { isProxyArg, proxyEnvironment } from '../../src/plan/proxy-args.js';

describe('proxyEnvironment', () => {
  it('gives both spellings in a fixed order', () => {
    const buildArgs = new Map([
      ['No_Proxy', 'n'],
      ['http_proxy', 'h'],
      ['ALL_PROXY', 'a'],
      ['OTHER', 'x'],
    ]);
    expect(proxyEnvironment(buildArgs)).toEqual([
      'HTTP_PROXY=h',
      'http_proxy=h',
      'NO_PROXY=n',
      'no_proxy=n',
      'ALL_PROXY=a',
      'all_proxy=a',
    ]);
  });

  it('does not depend on the order of arguments', () => {
    const pairs: Array<[string, string]> = [
      ['http_proxy', 'lower'],
      ['HTTP_PROXY', 'upper'],
    ];
    expect(proxyEnvironment(new Map(pairs))).toEqual(proxyEnvironment(new Map(pairs.reverse())));
  });

  it('leaves out what is empty', () => {
    expect(proxyEnvironment(new Map([['ftp_proxy', '']]))).toEqual([]);
  });
});

describe('isProxyArg', () => {
  it.each(['HTTP_PROXY', 'https_proxy', 'Ftp_Proxy'])('knows %s', name => expect(isProxyArg(name)).toBe(true));
  it.each(['PROXY', 'http_proxy_', ''])('does not know %j', name => expect(isProxyArg(name)).toBe(false));
});
