import { isIP } from 'node:net';
import { isLadingError, LadingError } from '../../errors/errors.js';
import { redactUrl } from '../../errors/redact.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { Digest } from '../../oci/digest.js';
import { Dispatcher } from '../http/dispatcher.js';
import { type HostGates, processGates } from '../http/host-gates.js';
import { Http, type HttpFailures, type HttpOptions } from '../http/http.js';
import { isCertificateFailure, networkCode } from '../http/network-error.js';
import { type ProxySettings, proxyFor } from '../http/proxy.js';
import { isPublicAddress, PrivateAddress, publicLookup } from '../http/public-address.js';
import { remoteError } from '../http/remote-error.js';
import { systemTiming, type Timing } from '../http/timing.js';
import type { BlobPlace } from './blob-place.js';

export interface ForeignLayersOptions
  extends Pick<HttpOptions, 'userAgent' | 'retries' | 'retryForMs' | 'onRetry' | 'timing' | 'gates'> {
  /**
   * Hosts that may be on this machine or in its own network: `HOST[:PORT]`, or `http://HOST[:PORT]` for plain HTTP. By
   * default none.
   */
  readonly hosts?: readonly string[] | undefined;
  readonly proxy?: ProxySettings | undefined;
  /** Blobs on their way at a time from one host; default 8. */
  readonly connections?: number | undefined;
}

/** An image may name so many addresses for a layer that are tried. */
const addressLimit = 8;

/**
 * Layers that are kept at addresses in their descriptor (OCI image-spec, descriptor.md, `urls`). Whoever made the image chose
 * these addresses, and nobody else: so they are asked over HTTPS, without credentials, and on the public internet alone,
 * wherever redirects lead; what counts is the address that is connected to, not what a name meant a moment before. Only
 * hosts that the user lists may be elsewhere.
 */
export class ForeignLayers {
  readonly #options: ForeignLayersOptions;
  readonly #listed: ReadonlySet<string>;
  readonly #direct: Dispatcher;
  readonly #guarded: Dispatcher;
  readonly #http: Http;
  readonly #gates: HostGates;
  readonly #timing: Timing;
  /** Addresses that have failed, or sent something else. */
  readonly #left = new Map<Digest, Set<string>>();
  /** From where each was sent last. */
  readonly #sent = new Map<Digest, string>();

  /** @throws LadingError INVALID_VALUE for what is no host */
  constructor(options: ForeignLayersOptions) {
    this.#options = options;
    this.#listed = new Set((options.hosts ?? []).map(originOf));
    this.#gates = options.gates ?? processGates;
    this.#timing = options.timing ?? systemTiming;
    this.#direct = new Dispatcher({ proxy: options.proxy });
    this.#guarded = new Dispatcher({ proxy: options.proxy, lookup: publicLookup });
    const tls = { verify: true };
    this.#http = new Http({
      ...options,
      dispatcher: { exchange: request => this.#dispatcher(request.url).exchange(request) },
      trust: { allows: url => this.#allows(url), tls: () => tls },
      failures,
    });
  }

  /** Whether a blob that is not where it was looked for may be had from elsewhere. */
  knows({ digest, urls = [] }: Descriptor): boolean {
    const left = this.#left.get(digest);
    return urls.slice(0, addressLimit).some(url => !left?.has(url));
  }

  /**
   * Gives what opens a blob each of its addresses, until one succeeds.
   * @throws LadingError REMOTE_FILE of the last one
   */
  async first<T>({ digest, urls = [] }: Descriptor, open: (place: BlobPlace) => Promise<T>): Promise<T> {
    const left = this.#left.get(digest) ?? new Set();
    this.#left.set(digest, left);
    let failure: unknown;
    for (const text of urls.slice(0, addressLimit)) {
      if (left.has(text)) continue;
      try {
        const opened = await open(this.#place(addressOf(text)));
        // Should it turn out to be something else, it is the next one's turn.
        this.#sent.set(digest, text);
        return opened;
      } catch (error) {
        if (!isLadingError(error)) throw error;
        left.add(text);
        failure = error;
      }
    }
    throw failure;
  }

  /** What came was something else. @returns whether it comes from another address when it is asked for again */
  doubt(descriptor: Descriptor): boolean {
    const { digest } = descriptor;
    const liar = this.#sent.get(digest);
    if (liar === undefined) return false;
    this.#sent.delete(digest);
    this.#left.get(digest)?.add(liar);
    return this.knows(descriptor);
  }

  async close(): Promise<void> {
    await Promise.all([this.#direct.close(), this.#guarded.close()]);
  }

  #place(url: URL): BlobPlace {
    return {
      failures,
      timing: this.#timing,
      enter: signal => this.#gates.enter(url.host, 'download', { signal, limit: this.#options.connections }),
      ask: (headers, signal) => this.#http.send({ method: 'GET', url, headers, signal }),
      async refused(response) {
        response.discard();
        return remoteError(response.url, `answered ${response.status}`, { status: response.status });
      },
    };
  }

  #dispatcher(url: URL): Dispatcher {
    return this.#listed.has(url.origin) ? this.#direct : this.#guarded;
  }

  /** What a name means is looked at when it is connected to; a proxy looks it up itself, and nobody can tell for what. */
  #allows(url: URL): boolean {
    if (url.username !== '' || url.password !== '') return false;
    if (this.#listed.has(url.origin)) return true;
    if (url.protocol !== 'https:' || proxyFor(url, this.#options.proxy) !== undefined) return false;
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    return isIP(host) === 0 || isPublicAddress(host);
  }
}

function originOf(text: string): string {
  const url = URL.canParse(text) && /^https?:\/\//.test(text) ? new URL(text) : tryParse(`https://${text}`);
  const plain = url?.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (url !== undefined && plain && url.password === '') return url.origin;
  throw new LadingError('INVALID_VALUE', `${redactUrl(text)} is not a host`, {
    details: { what: 'host', value: redactUrl(text) },
    hint: 'Write HOST, HOST:PORT, or http://HOST:PORT for plain HTTP.',
  });
}

function tryParse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function addressOf(text: string): URL {
  const url = tryParse(text);
  if (url !== undefined) return url;
  const shown = redactUrl(text);
  throw new LadingError('REMOTE_FILE', `${shown} is not an address`, { details: { url: shown } });
}

const failures: HttpFailures = {
  unreachable(url, cause) {
    for (let error = cause; error instanceof Error; error = error.cause) {
      if (error instanceof PrivateAddress) return failures.disallowed(url);
    }
    const code = networkCode(cause) ?? 'the connection failed';
    const hint = isCertificateFailure(cause)
      ? 'The certificate is not trusted; name its authority in NODE_EXTRA_CA_CERTS.'
      : 'A layer of the image is kept there; check the network, or take the image from a registry that has all of it.';
    return remoteError(url, `cannot be reached: ${code}`, { hint, cause });
  },
  protocol: (url, problem) => remoteError(url, problem),
  disallowed: url =>
    remoteError(url, 'an image may not lead there', {
      hint: `Layers are fetched from public addresses over HTTPS, and not through a proxy; if you trust this one, allow it with --foreign-layer-host ${url.protocol === 'http:' ? url.origin : url.host}.`,
    }),
};
