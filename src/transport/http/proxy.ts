import { isIP } from 'node:net';
import { LadingError } from '../../errors/errors.js';
import { redactUrl } from '../../errors/redact.js';
import { addressAuthorization } from './basic-authorization.js';
import { isLoopbackHost } from './loopback.js';
import { inNetwork, parseNetwork } from './network.js';

/** Proxies, written as in the variables of the environment that are called like them. An empty text is none. */
export interface ProxySettings {
  /** `HTTP_PROXY`: for addresses of `http`. `[http[s]://][USER:PASSWORD@]HOST[:PORT]` */
  readonly http?: string | undefined;
  /** `HTTPS_PROXY`: for addresses of `https`. */
  readonly https?: string | undefined;
  /**
   * `NO_PROXY`: what is asked directly, with commas between. A domain means what is below it too, `.domain` only that;
   * also addresses, networks such as `10.0.0.0/8`, each with a `:PORT` if only that is meant, and `*`.
   */
  readonly noProxy?: string | undefined;
}

export interface HttpProxy {
  /** Without user and password: fit to be shown. */
  readonly origin: string;
  /** What it is to be told of who asks. */
  readonly authorization?: string | undefined;
}

/**
 * The proxy to ask for an address, by the rules of Go, which Docker follows. This machine is always asked directly.
 * @throws LadingError INVALID_VALUE, UNSUPPORTED for what is no proxy of HTTP
 */
export function proxyFor(url: URL, { http, https, noProxy }: ProxySettings = {}): HttpProxy | undefined {
  const written = (url.protocol === 'https:' ? https : http)?.trim() ?? '';
  if (written === '' || isLoopbackHost(url.hostname)) return undefined;
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (noProxy?.split(/[\s,]+/).some(entry => matches(entry.toLowerCase(), host, port))) return undefined;
  return parseProxy(written);
}

function parseProxy(written: string): HttpProxy {
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `http://${written}`);
  } catch {
    const value = redactUrl(written);
    throw new LadingError('INVALID_VALUE', `${value} is not the address of a proxy`, {
      details: { what: 'proxy', value },
      hint: 'Write HTTP_PROXY and HTTPS_PROXY as http://HOST:PORT.',
    });
  }
  if (url.protocol === 'http:' || url.protocol === 'https:') {
    return { origin: url.origin, authorization: addressAuthorization(url) };
  }
  throw new LadingError('UNSUPPORTED', `${redactUrl(url)}: proxies of ${url.protocol}// are not supported`, {
    details: { feature: `proxies of ${url.protocol}//` },
    hint: 'Name a proxy of http:// or https:// in HTTP_PROXY and HTTPS_PROXY.',
  });
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const range = parseNetwork(entry);
  if (range !== undefined) return inNetwork(host, range.network, range.prefix);
  const parts = isIP(entry) > 0 ? ['', entry] : /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(entry);
  const name = parts?.[1]?.replace(/^\*\./, '.');
  if (name === undefined || name === '' || (parts?.[2] !== undefined && parts[2] !== port)) return false;
  if (isIP(name) > 0) return inNetwork(host, name, isIP(name) === 4 ? 32 : 128);
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}
