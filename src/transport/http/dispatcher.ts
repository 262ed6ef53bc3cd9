import type { Readable } from 'node:stream';
import type { Agent } from 'undici';
import type { Bytes } from '../../stream/bytes.js';

export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Bytes | undefined;
  readonly verifyTls: boolean;
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

export interface DispatcherOptions {
  /** Default 15 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long an answer may take to begin; default 60 s, and 300 s where a request brings content. */
  readonly headersTimeoutMs?: number | undefined;
  /** The longest silence inside an answer; default 60 s. */
  readonly bodyTimeoutMs?: number | undefined;
}

/**
 * One HTTP exchange after the other over pooled sockets: no retry, no redirect, no meaning. The one home of undici,
 * which is loaded on first use because loading it costs more than most commands take. Proxies and certificates belong
 * here.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #agents = new Map<boolean, Promise<Agent>>();
  #closed = false;

  constructor(options: DispatcherOptions = {}) {
    this.#options = options;
  }

  async exchange(request: Exchange): Promise<Answer> {
    request.signal?.throwIfAborted();
    const agent = await this.#agent(request.verifyTls);
    const { url, method } = request;
    const commits = method === 'PUT' || method === 'PATCH';
    const answer = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: request.headers,
      body: (request.body ?? null) as Buffer | Readable | null,
      signal: request.signal ?? null,
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

  /** Closes every socket; exchanges that are under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map(async agent => (await agent).destroy()));
  }

  #agent(verifyTls: boolean): Promise<Agent> {
    if (this.#closed) throw new Error('the HTTP client is closed');
    let agent = this.#agents.get(verifyTls);
    if (agent === undefined) {
      // A CommonJS package: inside a bundle its default export is the only one.
      agent = import('undici').then(
        ({ default: undici }) =>
          new undici.Agent({
            connect: { rejectUnauthorized: verifyTls, timeout: this.#options.connectTimeoutMs ?? 15_000 },
          }),
      );
      this.#agents.set(verifyTls, agent);
    }
    return agent;
  }
}
