import type { Readable } from 'node:stream';
import { isLadingError } from '../../errors/errors.js';
import { redactUrl } from '../../errors/redact.js';
import type { Bytes } from '../../stream/bytes.js';
import type { Answer, Dispatcher, Exchange } from './dispatcher.js';
import { type HostGates, processGates } from './host-gates.js';
import { isPassing, isTimeout, networkCode } from './network-error.js';
import { StreamedBody } from './streamed-body.js';
import { systemTiming, type Timing } from './timing.js';
import type { TlsSettings } from './tls-settings.js';

export interface HttpRequest {
  readonly method: Exchange['method'];
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent to the origin of `url` and to no other, wherever redirects lead. */
  readonly authorization?: string | undefined;
  /** Whether the authorization is for another address of the origin, too; default yes. */
  readonly authorizes?: ((target: URL) => boolean) | undefined;
  /**
   * Bytes can be sent again. A stream is sent once, whatever happens; only where a redirect leads it is read again, if it
   * can be.
   */
  readonly body?: Uint8Array | Bytes | undefined;
  /** `refuse` where the body itself is a secret. Default `follow`. */
  readonly redirects?: 'follow' | 'refuse' | undefined;
  /** Further attempts after the first; default those of the options, 0 with a stream. */
  readonly retries?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly method: string;
  /** Where the answer came from in the end. */
  readonly url: URL;
  header(name: string): string | undefined;
  /** Must be read to its end, destroyed, or let go of by `discard`. */
  readonly body: Readable;
  discard(): void;
}

/** Which connections may be made. */
export interface HttpTrust {
  allows(url: URL): boolean;
  /** Asked before each exchange over TLS. The same object for the same settings. */
  tls(url: URL): TlsSettings | Promise<TlsSettings>;
}

/** How failures are told: whoever asks knows what the other side is. */
export interface HttpFailures {
  unreachable(url: URL, cause: unknown): Error;
  protocol(url: URL, problem: string): Error;
  /** The trust does not allow the address. */
  disallowed(url: URL): Error;
}

export interface HttpRetry {
  readonly method: string;
  /** Without secrets. */
  readonly url: string;
  readonly reason: string;
  readonly delayMs: number;
}

export interface HttpOptions {
  readonly dispatcher: Pick<Dispatcher, 'exchange'>;
  readonly trust: HttpTrust;
  readonly failures: HttpFailures;
  readonly userAgent?: string | undefined;
  readonly timing?: Timing | undefined;
  /** What holds for all who ask the same hosts; default those of the process. */
  readonly gates?: HostGates | undefined;
  /** Further attempts after the first; default 4. */
  readonly retries?: number | undefined;
  /** The longest that a request may take with all its attempts and waits; default 10 minutes. */
  readonly retryForMs?: number | undefined;
  /** A request is about to be sent again. */
  readonly onRetry?: ((retry: HttpRetry) => void) | undefined;
}

/** That of Go's client, and so of most that servers are tried with. */
const redirectLimit = 10;
/** A server that asks for more patience than this gets none. */
const longestWaitMs = 120_000;
/** So that those who were held back together do not come back in one moment. */
const spreadMs = 250;

/**
 * Requests with patience: what may succeed a moment later is tried again, as often as bounded and as late as the
 * server asks; redirects are followed without taking secrets along. An answer of any status is an answer: only a
 * server that gives none is an error here.
 */
export class Http {
  readonly #options: HttpOptions;
  readonly #timing: Timing;
  readonly #gates: HostGates;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#timing = options.timing ?? systemTiming;
    this.#gates = options.gates ?? processGates;
  }

  /** Throws what the failures of the options make, or the signal's reason. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { failures } = this.#options;
    let current = request;
    for (let hop = 0; ; hop++) {
      const stream = isStream(request.body) ? new StreamedBody(request.body) : undefined;
      const response = await this.#sendPatiently(current, stream);
      const target = redirectTarget(response, failures);
      if (target === undefined) return response;
      response.discard();
      await stream?.stop(request);
      if (hop >= redirectLimit) throw failures.protocol(request.url, 'redirects without end');
      if (stream?.rereadable === false || request.redirects === 'refuse') {
        throw failures.protocol(request.url, 'redirects a request that cannot be redirected');
      }
      current = { ...current, url: target, ...crossing(current, target) };
    }
  }

  async #sendPatiently(request: HttpRequest, stream: StreamedBody | undefined): Promise<HttpResponse> {
    const { url, signal } = request;
    if (!this.#options.trust.allows(url)) throw this.#options.failures.disallowed(url);
    const retries = stream !== undefined ? 0 : (request.retries ?? this.#options.retries ?? 4);
    const deadline = this.#timing.now() + (this.#options.retryForMs ?? 600_000);
    for (let attempt = 0; ; attempt++) {
      await this.#beAllowed(url, signal);
      let reason: string;
      let delayMs = backoffMs(attempt, this.#timing);
      try {
        const answer = await this.#exchange(request, stream);
        if (!isPassingStatus(answer.status)) return toResponse(request, answer);
        const asked = retryAfterMs(answer);
        delayMs = asked ?? delayMs;
        const patient = delayMs <= longestWaitMs && this.#timing.now() + delayMs <= deadline;
        // Also for those who do not ask again themselves.
        if (patient && (asked !== undefined || answer.status === 429)) {
          this.#gates.holdBack(url.origin, this.#timing.now() + delayMs);
        }
        if (attempt >= retries || !patient) return toResponse(request, answer);
        answer.discard();
        reason = `status ${answer.status}`;
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (stream?.error !== undefined) throw stream.error;
        if (isLadingError(error)) throw error;
        // Who was silent for so long once is tried once more, not five times.
        const late = this.#timing.now() + delayMs > deadline;
        if (late || attempt >= (isTimeout(error) ? Math.min(retries, 1) : retries) || !isPassing(error)) {
          throw this.#options.failures.unreachable(url, error);
        }
        reason = networkCode(error) ?? 'no answer';
      }
      this.#options.onRetry?.({ method: request.method, url: redactUrl(url), reason, delayMs });
      await this.#timing.wait(delayMs, signal);
    }
  }

  /** One answer to "too many requests" holds back everyone who asks the same origin, until nobody has one. */
  async #beAllowed({ origin }: URL, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const waitMs = this.#gates.notBefore(origin) - this.#timing.now();
      if (waitMs <= 0) return;
      await this.#timing.wait(waitMs + this.#timing.random() * spreadMs, signal);
    }
  }

  async #exchange(request: HttpRequest, stream: StreamedBody | undefined): Promise<Answer> {
    const { method, url, authorization } = request;
    const body = stream?.content() ?? request.body;
    const signal = stream?.signal(request.signal) ?? request.signal;
    const headers: Record<string, string> = {
      'user-agent': this.#options.userAgent ?? 'lading',
      ...request.headers,
      ...(authorization === undefined ? {} : { authorization }),
    };
    const tls = url.protocol === 'https:' ? await this.#options.trust.tls(url) : undefined;
    return await this.#options.dispatcher.exchange({ method, url, headers, body, signal, tls });
  }
}

function redirectTarget(response: HttpResponse, failures: HttpFailures): URL | undefined {
  const { status, method, url } = response;
  const safe = method === 'GET' || method === 'HEAD';
  if (status !== 307 && status !== 308 && !(safe && (status === 301 || status === 302 || status === 303))) {
    return undefined;
  }
  let target: URL;
  try {
    target = new URL(response.header('location') || 'no address', url);
  } catch {
    throw failures.protocol(url, 'leads to something that is not an address');
  }
  target.username = '';
  target.password = '';
  // Servers behind a proxy that ends TLS often do not know their own scheme.
  if (target.host === url.host && url.protocol === 'https:') target.protocol = 'https:';
  return target;
}

/** What changes when a redirect leaves the origin: nothing that could be a secret goes along. */
function crossing(request: HttpRequest, target: URL): Partial<HttpRequest> {
  if (target.origin === request.url.origin) {
    return request.authorizes?.(target) === false ? { authorization: undefined } : {};
  }
  const kept = Object.entries(request.headers ?? {}).filter(([name]) =>
    /^(?:accept.*|range|if-.*|content-.*)$/.test(name),
  );
  return { headers: Object.fromEntries(kept), authorization: undefined };
}

function isStream(body: HttpRequest['body']): body is Bytes {
  return body !== undefined && !(body instanceof Uint8Array);
}

/** How long to wait before the attempt after `attempt`, counted from 0: longer each time, and never the same for two. */
export function backoffMs(attempt: number, timing: Timing): number {
  return Math.min(250 * 2 ** attempt, 10_000) * (0.5 + timing.random() / 2);
}

/** What may be another answer a moment later. */
export function isPassingStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** Seconds, or a date that is taken relative to the answer's own. */
function retryAfterMs(answer: Answer): number | undefined {
  const text = answer.header('retry-after');
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const difference = Date.parse(text) - Date.parse(answer.header('date') ?? '');
  return Number.isFinite(difference) ? Math.max(0, difference) : undefined;
}

function toResponse(request: HttpRequest, answer: Answer): HttpResponse {
  return { ...answer, method: request.method, url: request.url };
}
