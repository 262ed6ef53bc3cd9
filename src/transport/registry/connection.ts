import { isLadingError } from '../../errors/errors.js';
import type { Digest } from '../../oci/digest.js';
import { raced } from '../../stream/raced.js';
import { Dispatcher, type DispatcherOptions } from '../http/dispatcher.js';
import { type HostGates, processGates } from '../http/host-gates.js';
import { Http, type HttpRequest, type HttpResponse, isPassingStatus } from '../http/http.js';
import { isApplicationProtocolFailure, isCertificateFailure } from '../http/network-error.js';
import type { Timing } from '../http/timing.js';
import { Authorizer } from './auth.js';
import type { CredentialSource } from './credentials.js';
import type { RegistryEventSink } from './events.js';
import { registryFailures } from './failure.js';
import { Mirrors, type MirrorsOptions } from './mirrors.js';
import { isWorthTelling, type RateLimit, rateLimitOf } from './rate-limit.js';
import { inScope, mayWrite } from './scopes.js';
import { createTrust, type Trust, type TrustOptions } from './trust.js';

export interface ConnectionOptions extends DispatcherOptions, TrustOptions {
  /** Where credentials come from; default none. */
  readonly credentials?: CredentialSource | undefined;
  /** Default `lading`. */
  readonly userAgent?: string | undefined;
  readonly timing?: Timing | undefined;
  /** What all who speak to a host keep to together; default that of the process. */
  readonly gates?: HostGates | undefined;
  /** Blobs on their way at a time, in each direction; default 8. */
  readonly connections?: number | undefined;
  /** How often a request that may succeed later is sent again; default 4. */
  readonly retries?: number | undefined;
  /** The longest that a request may take with all its attempts and waits; default 10 minutes. */
  readonly retryForMs?: number | undefined;
  readonly onEvent?: RegistryEventSink | undefined;
  /** How the registry is spoken to; by default that is found out, with preference for TLS. */
  readonly scheme?: 'http' | 'https' | undefined;
  /** What the API is below; default `/v2/`. */
  readonly apiRoot?: string | undefined;
  /** Places to read a repository of it from before. */
  readonly mirrors?: Omit<MirrorsOptions, 'onEvent'> | undefined;
}

export interface RegistryRequest extends Omit<HttpRequest, 'url' | 'authorization' | 'authorizes'> {
  /** Below the registry's root, so beginning with `/v2/`; or a whole address that the registry named itself. */
  readonly url: string | URL;
  /** What the request needs the right to do. */
  readonly scopes: readonly string[];
}

/**
 * One registry: finds out how it is spoken to (scheme, authentication) with the first request, then sends requests
 * with the right `Authorization`, to the registry alone. Shared by the endpoints of its repositories.
 */
export class RegistryConnection {
  /** As in a reference: `docker.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  readonly #dispatcher: Dispatcher;
  readonly #http: Http;
  readonly #trust: Trust;
  readonly #auth: Authorizer;
  readonly #gates: HostGates;
  readonly #closing = new AbortController();
  readonly #options: ConnectionOptions;
  readonly #mirrors: Mirrors | undefined;
  #base: Promise<URL> | undefined;
  #limit: RateLimit | undefined;

  constructor(registry: string, options: ConnectionOptions = {}) {
    this.registry = registry;
    this.#options = options;
    this.#mirrors = options.mirrors && new Mirrors({ ...options.mirrors, onEvent: options.onEvent });
    this.#trust = createTrust(apiHost(registry), options);
    this.#gates = options.gates ?? processGates;
    this.#dispatcher = new Dispatcher(options);
    this.#http = new Http({
      ...options,
      dispatcher: this.#dispatcher,
      trust: this.#trust,
      failures: registryFailures,
      onRetry: retry => options.onEvent?.({ kind: 'registry-retry', ...retry }),
    });
    this.#auth = new Authorizer({
      ...options,
      registry,
      http: this.#http,
      trust: this.#trust,
      closing: this.#closing.signal,
    });
  }

  /** The address of the registry's root. */
  async base(signal?: AbortSignal): Promise<URL> {
    for (;;) {
      this.#base ??= this.#found(this.#discover((base, retries) => this.#ping(base, retries)));
      try {
        return await raced(this.#base, signal);
      } catch (error) {
        if (signal?.aborted || !(error instanceof AbandonedGreeting)) throw error;
      }
    }
  }

  /**
   * Any answer but a 401 that better credentials could mend.
   * @throws LadingError REGISTRY_UNREACHABLE, REGISTRY_PROTOCOL, AUTH_FAILED, CREDENTIALS
   */
  async send(wanted: RegistryRequest): Promise<HttpResponse> {
    const mirrored = await this.#mirrors?.send(wanted);
    if (mirrored !== undefined) return mirrored;
    const { url: place, scopes, ...request } = wanted;
    const { signal } = request;
    const greeted = await this.#greet(wanted);
    if (greeted !== undefined) return greeted;
    const base = await this.base(signal);
    const url = typeof place === 'string' ? this.#address(place, base) : place;
    const authorizes = this.#authorizes(base, scopes);
    const ours = authorizes(url);
    const authorization = ours ? await this.#auth.header(scopes, { signal }) : undefined;
    const response = await this.#http.send({ ...request, url, authorization, authorizes });
    this.#lookAtLimit(response);
    if (response.status !== 401 || !ours || !authorizes(response.url)) return response;
    if (!(await this.#auth.refused(response.header('www-authenticate'), authorization, scopes, { signal }))) {
      return response;
    }
    if (request.body !== undefined && !(request.body instanceof Uint8Array)) return response;
    response.discard();
    const renewed = await this.#auth.header(scopes, { signal });
    return this.#http.send({ ...request, url, authorization: renewed, authorizes });
  }

  #lookAtLimit(response: HttpResponse): void {
    const limit = rateLimitOf(response);
    if (limit === undefined) return;
    const { registry } = this;
    if (isWorthTelling(this.#limit, limit))
      this.#options.onEvent?.({ kind: 'registry-rate-limit', registry, ...limit });
    this.#limit = limit;
  }

  /** A blob was not what it had to be. @returns whether it will come from elsewhere the next time */
  doubt(digest: Digest): boolean {
    return this.#mirrors?.doubt(digest) ?? false;
  }

  /** Waits until a blob may be transferred, and gives the function that says that it is done. */
  enter(direction: 'download' | 'upload', signal?: AbortSignal): Promise<() => void> {
    return this.#gates.enter(apiHost(this.registry), direction, { signal, limit: this.#options.connections });
  }

  /** Closes every socket; requests that are under way fail. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the registry client is closed'));
    await Promise.all([this.#dispatcher.close(), this.#mirrors?.close()]);
  }

  /** Which addresses credentials for `scopes` may be sent to. */
  #authorizes(base: URL, scopes: readonly string[]): (target: URL) => boolean {
    return target => target.origin === base.origin && inScope(target, scopes, this.#options.apiRoot);
  }

  /**
   * Whoever reads need not say hello first: the first question finds out the same, and whoever else asks meanwhile waits for
   * its answer. It is asked by nobody in particular.
   * @returns the answer, if it is good for more than that
   */
  async #greet({ url, scopes, ...request }: RegistryRequest): Promise<HttpResponse | undefined> {
    const { method, signal } = request;
    if (this.#base !== undefined || typeof url !== 'string' || (method !== 'GET' && method !== 'HEAD'))
      return undefined;
    if (mayWrite(scopes)) return undefined;
    let kept: HttpResponse | undefined;
    const ask = async (base: URL, retries = request.retries): Promise<void> => {
      const authorizes = this.#authorizes(base, scopes);
      const answer = await this.#http.send({ ...request, url: this.#address(url, base), authorizes, retries });
      this.#lookAtLimit(answer);
      const { status } = answer;
      if (status === 401) this.#auth.learn(answer.header('www-authenticate'), scopes);
      // Some say of what is not for everybody that it is not there, and only to a hello that they want to know who asks.
      else if (status >= 400 && !isPassingStatus(status)) await this.#ping(base, retries);
      const impatient = isPassingStatus(status) && retries === 0;
      if (status < 400 || (!impatient && !this.#auth.challenged)) kept = answer;
      else answer.discard();
    };
    const greeting = this.#discover(ask).catch(error => {
      throw signal?.aborted ? new AbandonedGreeting('whoever asked first has left') : error;
    });
    this.#base = this.#found(greeting);
    await raced(this.#base, signal);
    return kept;
  }

  /** Keeps what is being found out for as long as it may succeed. */
  #found(base: Promise<URL>): Promise<URL> {
    base.catch(() => {
      if (this.#base === base) this.#base = undefined;
    });
    return base;
  }

  #address(path: string, base: URL): URL {
    return new URL(path.replace(/^\/v2\//, this.#options.apiRoot ?? '/v2/'), base);
  }

  /** @param ask sends something there, and fails when nobody answers */
  async #discover(ask: (base: URL, retries?: number) => Promise<void>): Promise<URL> {
    const host = apiHost(this.registry);
    const { scheme } = this.#options;
    const at = async (base: URL, retries?: number): Promise<URL> => {
      await ask(base, retries);
      return base;
    };
    if (scheme !== undefined) return at(new URL(`${scheme}://${host}/`));
    const secure = new URL(`https://${host}/`);
    if (!this.#trust.lenient) return at(secure);
    try {
      return await at(secure, 0);
    } catch (error) {
      const { cause } = error as Error;
      const speaksTls = isCertificateFailure(cause) || isApplicationProtocolFailure(cause);
      if (!isLadingError(error, 'REGISTRY_UNREACHABLE') || speaksTls) throw error;
    }
    return at(new URL(`http://${host}/`));
  }

  async #ping(base: URL, retries?: number): Promise<void> {
    const signal = this.#closing.signal;
    const response = await this.#http.send({ method: 'GET', url: this.#address('/v2/', base), retries, signal });
    response.discard();
    if (response.status === 401) this.#auth.learn(response.header('www-authenticate'));
  }
}

/** Whoever was to find out how the registry is spoken to does not want to know any more. */
class AbandonedGreeting extends Error {}

/** The host that serves the API: Docker Hub's is not the one in its names. */
export function apiHost(registry: string): string {
  return registry === 'docker.io' ? 'registry-1.docker.io' : registry;
}
