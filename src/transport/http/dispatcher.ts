import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { Agent, ProxyAgent, Dispatcher as UndiciDispatcher } from 'undici';
import { LadingError } from '../../errors/errors.js';
import { redactUrl } from '../../errors/redact.js';
import type { Bytes } from '../../stream/bytes.js';
import { networkCode, ProxyError } from './network-error.js';
import { nodeAuthorities } from './node-authorities.js';
import { type HttpProxy, type ProxySettings, proxyFor } from './proxy.js';
import type { TlsSettings } from './tls-settings.js';

export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Bytes | undefined;
  /** The same object for the same settings: sockets are shared by it. Not used for plain HTTP. */
  readonly tls?: TlsSettings | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  /** A header's value; several of one name are joined with commas. */
  header(name: string): string | undefined;
  /** Must be read to its end, destroyed, or let go of by `discard`. */
  readonly body: Readable;
  /** Lets go of a body that nobody reads; of a short one the rest is read, so that the socket can be used again. */
  discard(): void;
}

/** What of undici's dispatchers is needed. */
export type HttpDispatcher = Pick<UndiciDispatcher, 'request'>;

export interface DispatcherOptions {
  /** Sends all requests, instead of agents of our own. Nobody closes it here. */
  readonly dispatcher?: HttpDispatcher | undefined;
  /** Default 15 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long an answer may take to begin; default 60 s, and 300 s where a request brings content. */
  readonly headersTimeoutMs?: number | undefined;
  /** The longest silence inside an answer; default 60 s. */
  readonly bodyTimeoutMs?: number | undefined;
  /** Nobody is asked, whoever it is; every request fails. */
  readonly offline?: boolean | undefined;
  /** How the addresses of hosts are found that are asked directly; default that of the system. */
  readonly lookup?: LookupFunction | undefined;
  /** Default: every host is asked directly. */
  readonly proxy?: ProxySettings | undefined;
}

/**
 * One HTTP exchange after the other over pooled sockets, directly or through a proxy: no retry, no redirect, no meaning.
 * The one home of undici, which is loaded on first use because most commands do without.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #agents = new Map<TlsSettings, Map<string, Promise<Agent | ProxyAgent>>>();
  #closed = false;

  constructor(options: DispatcherOptions = {}) {
    this.#options = options;
  }

  /** @throws LadingError OFFLINE, and for settings of proxies that cannot be read; what the network says */
  async exchange(request: Exchange): Promise<Answer> {
    request.signal?.throwIfAborted();
    if (this.#options.offline) throw offline(request.url);
    const { dispatcher } = this.#options;
    if (dispatcher !== undefined) return await this.#request(request, dispatcher);
    const proxy = proxyFor(request.url, this.#options.proxy);
    if (proxy === undefined) return await this.#request(request, await this.#agent(request.tls));
    try {
      if (request.url.protocol === 'http:') return await this.#relay(request, proxy);
      return await this.#request(request, await this.#agent(request.tls, proxy));
    } catch (error) {
      throw proxyError(proxy, error);
    }
  }

  /** Closes every socket; exchanges that are under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    const agents = [...this.#agents.values()].flatMap(some => [...some.values()]);
    this.#agents.clear();
    await Promise.all(agents.map(async agent => (await agent).destroy()));
  }

  /** Plain HTTP needs no tunnel, and many proxies make none for it: the proxy itself is asked, for the whole address. */
  async #relay(request: Exchange, proxy: HttpProxy): Promise<Answer> {
    const { url, headers } = request;
    const { authorization } = proxy;
    const asked = {
      ...request,
      headers: {
        ...headers,
        host: url.host,
        ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
      },
    };
    const answer = await this.#request(asked, await this.#agent(), {
      origin: proxy.origin,
      path: `${url.origin}${url.pathname}${url.search}`,
    });
    if (answer.status !== 407) return answer;
    answer.discard();
    throw new Error('it answered with status 407: it wants to know who asks');
  }

  async #request(
    { url, method, headers, body, signal }: Exchange,
    agent: HttpDispatcher,
    place = { origin: url.origin, path: `${url.pathname}${url.search}` },
  ): Promise<Answer> {
    const commits = method === 'PUT' || method === 'PATCH';
    const answer = await agent.request({
      ...place,
      method,
      headers,
      body: (body ?? null) as Buffer | Readable | null,
      signal: signal ?? null,
      headersTimeout: this.#options.headersTimeoutMs ?? (commits ? 300_000 : 60_000),
      bodyTimeout: this.#options.bodyTimeoutMs ?? 60_000,
    });
    // A body that nobody reads yet must not bring the process down when its socket breaks.
    answer.body.on('error', () => {});
    return {
      status: answer.statusCode,
      header: name => {
        const value = answer.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      },
      body: answer.body,
      discard: () => void answer.body.dump({ limit: 64 * 1024 }).catch(() => {}),
    };
  }

  #agent(tls = plainSettings, tunnel?: HttpProxy): Promise<Agent | ProxyAgent> {
    if (this.#closed) throw new Error('the HTTP client is closed');
    const key = `${tunnel?.origin} ${tunnel?.authorization}`;
    let agents = this.#agents.get(tls);
    if (agents === undefined) {
      agents = new Map();
      this.#agents.set(tls, agents);
    }
    let agent = agents.get(key);
    if (agent === undefined) {
      agent = this.#makeAgent(tls, tunnel);
      agents.set(key, agent);
    }
    return agent;
  }

  async #makeAgent(tls: TlsSettings, tunnel: HttpProxy | undefined): Promise<Agent | ProxyAgent> {
    const undici = await import('./undici-parts.js');
    const timeout = this.#options.connectTimeoutMs ?? 15_000;
    const connect = { ...connectOptions(tls), timeout };
    const { lookup } = this.#options;
    if (tunnel === undefined)
      return new undici.Agent({ connect: lookup === undefined ? connect : { ...connect, lookup } });
    return new undici.ProxyAgent({
      uri: tunnel.origin,
      ...(tunnel.authorization === undefined ? {} : { token: tunnel.authorization }),
      requestTls: connect,
      proxyTls: { timeout },
      // The answer to CONNECT: a proxy that says nothing is no better than a host that says nothing.
      clientFactory: (origin, options) => new undici.Pool(origin, { ...options, headersTimeout: timeout }),
    });
  }
}

const plainSettings: TlsSettings = { verify: true };

function connectOptions({ verify, authorities = [], client }: TlsSettings): ConnectionOptions {
  if (authorities.length === 0 && client === undefined && verify) return { rejectUnauthorized: true };
  return {
    rejectUnauthorized: verify,
    // Made once: to read all authorities anew for each connection takes longer than the connection.
    secureContext: createSecureContext({
      // Named at all, authorities replace those that Node would take by itself. Where nobody asks them, to read them all is
      // half of what a small command costs.
      ...(verify && authorities.length === 0 ? {} : { ca: verify ? [...nodeAuthorities(), ...authorities] : [] }),
      ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
    }),
  };
}

function offline(url: URL): LadingError<'OFFLINE'> {
  return new LadingError('OFFLINE', `${url.host} is needed, and no server may be asked`, {
    details: { url: redactUrl(url) },
    hint: 'Leave out --offline, or bring what is needed into the store before.',
  });
}

function proxyError(proxy: HttpProxy, error: unknown): ProxyError {
  // What undici calls an abort is an answer to CONNECT that is none of success.
  const refused = error instanceof Error && networkCode(error) === 'UND_ERR_ABORTED';
  return new ProxyError(proxy.origin, refused ? new Error(error.message) : error);
}
