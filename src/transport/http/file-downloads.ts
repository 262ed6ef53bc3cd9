import type { WebFile } from '../../content/web-file.js';
import type { LadingError } from '../../errors/errors.js';
import { redactUrl } from '../../errors/redact.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { Bytes, CallOptions } from '../../stream/bytes.js';
import { addressAuthorization } from './basic-authorization.js';
import { Dispatcher, type DispatcherOptions } from './dispatcher.js';
import { Http, type HttpFailures, type HttpResponse, type HttpRetry } from './http.js';
import { isCertificateFailure, isPassing, networkCode } from './network-error.js';
import { remoteError } from './remote-error.js';
import { systemTiming, type Timing } from './timing.js';
import { isWebAddress } from './web-address.js';

export interface FileDownloadsOptions extends DispatcherOptions {
  /** Where bytes go; a stream that fails leaves nothing there. */
  readonly keep: (content: Bytes, options: CallOptions) => Promise<Descriptor>;
  /** What the origin of an address is to be asked with, instead of the user and password in the address. */
  readonly authorization?: ((url: URL, options: CallOptions) => Promise<string | undefined>) | undefined;
  readonly timing?: Timing | undefined;
  /** Default `lading`. */
  readonly userAgent?: string | undefined;
  readonly onRetry?: ((retry: HttpRetry) => void) | undefined;
}

export interface DownloadOptions extends CallOptions {
  /** What the address led to before: it is what is returned when the server says that it still does. */
  readonly known?: WebFile | undefined;
  /** Bytes so far, and how many there will be where the server says so. */
  readonly onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
}

/** How often a download that breaks off is begun again. */
const restarts = 2;

/**
 * Gets files from the web: plain HTTP and HTTPS, redirects followed, certificates checked. What tells the server who asks
 * is sent to the origin of the address alone, wherever redirects lead, and is shown nowhere.
 */
export class FileDownloads {
  readonly #options: FileDownloadsOptions;
  readonly #dispatcher: Dispatcher;
  readonly #http: Http;

  constructor(options: FileDownloadsOptions) {
    this.#options = options;
    this.#dispatcher = new Dispatcher(options);
    const tls = { verify: true };
    const trust = { allows: isWebAddress, tls: () => tls };
    this.#http = new Http({ ...options, dispatcher: this.#dispatcher, trust, failures });
  }

  /** @throws LadingError REMOTE_FILE, and what keeping the bytes throws; the signal's reason */
  async fetch(address: URL, options: DownloadOptions = {}): Promise<WebFile> {
    const { known, signal } = options;
    const timing = this.#options.timing ?? systemTiming;
    for (let attempt = 0; ; attempt++) {
      const response = await this.#request(address, known?.etag, signal);
      try {
        if (known !== undefined && isUnchanged(response, known.etag)) return { ...known, ...factsOf(response) };
        const blob = await this.#keep(response, options);
        return { blob, ...factsOf(response) };
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (!(error instanceof BrokenBody)) throw error;
        if (attempt >= restarts || !isPassing(error.cause)) throw brokenOff(address, error.cause);
      } finally {
        response.body.destroy();
      }
      const delayMs = 250 * 2 ** attempt;
      const reason = 'the download broke off';
      this.#options.onRetry?.({ method: 'GET', url: redactUrl(address), reason, delayMs });
      await timing.wait(delayMs, signal);
    }
  }

  /** Closes every socket; downloads that are under way fail. */
  async close(): Promise<void> {
    await this.#dispatcher.close();
  }

  /** With an entity tag the answer may be 304; a server that does not know conditions sends the tag with its 200. */
  async #request(address: URL, etag: string | undefined, signal: AbortSignal | undefined): Promise<HttpResponse> {
    const url = new URL(address);
    url.username = '';
    url.password = '';
    const response = await this.#http.send({
      method: 'GET',
      url,
      headers: {
        accept: '*/*',
        // The file is taken as it is stored: an encoding on the way would be another one.
        'accept-encoding': 'identity',
        ...(etag === undefined ? {} : { 'if-none-match': etag }),
      },
      authorization: (await this.#options.authorization?.(url, { signal })) ?? addressAuthorization(address),
      signal,
    });
    const { status } = response;
    // Nobody asked for a part.
    if (status >= 200 && status < 300 && status !== 206) return response;
    if (status === 304 && isUnchanged(response, etag)) return response;
    response.discard();
    // An answer to a question that was not asked.
    if (status === 304 && etag !== undefined) return await this.#request(address, undefined, signal);
    throw refused(response);
  }

  async #keep(response: HttpResponse, { onProgress, signal }: DownloadOptions): Promise<Descriptor> {
    const length = response.header('content-length') ?? '';
    const total = /^\d{1,15}$/.test(length) ? Number(length) : undefined;
    return await this.#options.keep(
      bodyOf(response, size => onProgress?.(size, total)),
      { signal },
    );
  }
}

/** The connection failed, as opposed to the disk. */
class BrokenBody extends Error {}

async function* bodyOf(response: HttpResponse, onProgress: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let size = 0;
  const chunks = (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch(cause => {
      throw new BrokenBody('the body broke off', { cause });
    });
    if (next.done === true) return;
    size += next.value.length;
    yield next.value;
    onProgress(size);
  }
}

/** Whether the server still has the bytes with the tag. Tags compare weakly, as BuildKit compares them. */
function isUnchanged(response: HttpResponse, etag: string | undefined): boolean {
  if (etag === undefined) return false;
  const { etag: now } = factsOf(response);
  const same = now?.replace(/^W\//, '') === etag.replace(/^W\//, '');
  return response.status === 304 ? same || response.header('etag') === undefined : same;
}

/** What an answer says of a file besides its bytes; a tag that is none of the standard's is as good as none. */
function factsOf(response: HttpResponse): Pick<WebFile, 'etag' | 'lastModified'> {
  const etag = response.header('etag') ?? '';
  const lastModified = httpDate(response.header('last-modified'));
  return {
    ...(/^(?:W\/)?"[\x21\x23-\x7e]{0,1000}"$/.test(etag) ? { etag } : {}),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
}

/** Seconds since 1970. The one form of date that servers may send today; others depend on where they are read. */
function httpDate(text: string | undefined): number | undefined {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text ?? '')) return undefined;
  const time = Date.parse(text!);
  return Number.isNaN(time) ? undefined : Math.max(0, Math.floor(time / 1000));
}

const failures: HttpFailures = {
  unreachable(url, cause) {
    const code = networkCode(cause) ?? 'the connection failed';
    const hint = isCertificateFailure(cause)
      ? 'The certificate is not trusted; name its authority in NODE_EXTRA_CA_CERTS.'
      : 'Check the address and the network, or fetch the file before the build and COPY it.';
    return remoteError(url, `cannot reach ${url.host}: ${code}`, { hint, cause });
  },
  protocol: (url, problem) => remoteError(url, problem),
  disallowed: url => remoteError(url, 'leads to something that is not an address of the web'),
};

function refused({ url, status }: HttpResponse): LadingError {
  const hint =
    status === 401 || status === 403
      ? `The server wants to know who asks: give a token with --secret id=HTTP_AUTH_TOKEN_${url.hostname},src=FILE.`
      : 'Check the address.';
  return remoteError(url, `invalid response status ${status}`, { hint, status });
}

function brokenOff(url: URL, cause: unknown): LadingError {
  const hint = 'Try again, or fetch the file before the build and COPY it.';
  return remoteError(url, `the download broke off: ${networkCode(cause) ?? 'the connection failed'}`, { hint, cause });
}
