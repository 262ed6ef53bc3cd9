import { createHash } from 'node:crypto';
import { type FileHandle, mkdtemp, open } from 'node:fs/promises';
import { join } from 'node:path';
import { LadingError } from '../../errors/errors.js';
import { ioError } from '../../errors/io-error.js';
import { redactUrl } from '../../errors/redact.js';
import type { Digest } from '../../oci/digest.js';
import type { CallOptions } from '../../stream/bytes.js';
import { Dispatcher, type DispatcherOptions } from './dispatcher.js';
import { Http, type HttpFailures, type HttpResponse, type HttpRetry } from './http.js';
import { isPassing, networkCode } from './network-error.js';
import { systemTiming, type Timing } from './timing.js';

/** A file of the web, now on this machine. */
export interface DownloadedFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the content. */
  readonly digest: Digest;
  /** Seconds since 1970, where the server says so. */
  readonly lastModified?: number | undefined;
}

export interface FileDownloadsOptions extends DispatcherOptions {
  /** Where files are kept; whoever gives the folder removes it. */
  readonly directory: string;
  /** What the origin of an address is to be asked with, instead of the user and password in the address. */
  readonly authorization?: ((url: URL, options: CallOptions) => Promise<string | undefined>) | undefined;
  readonly timing?: Timing | undefined;
  /** Default `lading`. */
  readonly userAgent?: string | undefined;
  readonly onRetry?: ((retry: HttpRetry) => void) | undefined;
}

export interface DownloadOptions extends CallOptions {
  /** Bytes so far, and how many there will be where the server says so. */
  readonly onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
}

/** How often a download that breaks off is begun again. */
const restarts = 2;

/**
 * Gets files from the web, each address once: plain HTTP and HTTPS, redirects followed, certificates checked. What tells
 * the server who asks is sent to the origin of the address alone, wherever redirects lead, and is shown nowhere.
 */
export class FileDownloads {
  readonly #options: FileDownloadsOptions;
  readonly #dispatcher: Dispatcher;
  readonly #http: Http;
  readonly #files = new Map<string, Promise<DownloadedFile>>();

  constructor(options: FileDownloadsOptions) {
    this.#options = options;
    this.#dispatcher = new Dispatcher(options);
    const trust = { allows: isWebAddress, verifiesTls: () => true };
    this.#http = new Http({ ...options, dispatcher: this.#dispatcher, trust, failures });
  }

  /** @throws LadingError INVALID_VALUE for what is no address, REMOTE_FILE; the signal's reason */
  fetch(address: string, options: DownloadOptions = {}): Promise<DownloadedFile> {
    const known = this.#files.get(address);
    if (known !== undefined) return known;
    const file = this.#download(parseAddress(address), options);
    this.#files.set(address, file);
    // What failed may be asked for again.
    file.catch(() => this.#files.delete(address));
    return file;
  }

  /** Closes every socket; downloads that are under way fail. */
  async close(): Promise<void> {
    await this.#dispatcher.close();
  }

  async #download(address: URL, options: DownloadOptions): Promise<DownloadedFile> {
    const { signal } = options;
    const timing = this.#options.timing ?? systemTiming;
    for (let attempt = 0; ; attempt++) {
      const response = await this.#request(address, signal);
      try {
        return await this.#keep(response, options);
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

  async #request(address: URL, signal: AbortSignal | undefined): Promise<HttpResponse> {
    const url = new URL(address);
    url.username = '';
    url.password = '';
    const response = await this.#http.send({
      method: 'GET',
      url,
      // The file is taken as it is stored: an encoding on the way would be another one.
      headers: { accept: '*/*', 'accept-encoding': 'identity' },
      authorization: (await this.#options.authorization?.(url, { signal })) ?? basicAuthorization(address),
      signal,
    });
    if (response.status >= 200 && response.status < 300) return response;
    response.discard();
    throw refused(response);
  }

  async #keep(response: HttpResponse, { onProgress }: DownloadOptions): Promise<DownloadedFile> {
    const length = response.header('content-length') ?? '';
    const total = /^\d{1,15}$/.test(length) ? Number(length) : undefined;
    const { directory } = this.#options;
    try {
      const path = join(await mkdtemp(join(directory, 'download-')), 'content');
      const file = await open(path, 'wx', 0o600);
      try {
        const written = await writeBody(response, file, size => onProgress?.(size, total));
        return { path, ...written, lastModified: httpDate(response.header('last-modified')) };
      } finally {
        await file.close();
      }
    } catch (error) {
      throw ioError(error, directory);
    }
  }
}

/** The connection failed, as opposed to the disk. */
class BrokenBody extends Error {}

async function writeBody(
  response: HttpResponse,
  file: FileHandle,
  onProgress: (bytes: number) => void,
): Promise<{ size: number; digest: Digest }> {
  const hash = createHash('sha256');
  let size = 0;
  const chunks = (response.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch(cause => {
      throw new BrokenBody('the body broke off', { cause });
    });
    if (next.done === true) break;
    hash.update(next.value);
    await file.appendFile(next.value);
    size += next.value.length;
    onProgress(size);
  }
  return { size, digest: `sha256:${hash.digest('hex')}` as Digest };
}

function isWebAddress({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

function parseAddress(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Told below: the reason that Node gives repeats the text.
  }
  if (url !== undefined && isWebAddress(url)) return url;
  const value = redactUrl(text);
  throw new LadingError('INVALID_VALUE', `${value} is not an address of the web`, { details: { what: 'URL', value } });
}

function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const plain = [username, password].map(part => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return `Basic ${Buffer.from(plain.join(':')).toString('base64')}`;
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
    const hint = /CERT|SELF_SIGNED|VERIFY|ISSUER|ALTNAME/.test(code)
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

function remoteError(
  url: URL,
  problem: string,
  { status, ...rest }: { hint?: string; cause?: unknown; status?: number } = {},
): LadingError<'REMOTE_FILE'> {
  const shown = redactUrl(url);
  return new LadingError('REMOTE_FILE', `${shown}: ${problem}`, { details: { url: shown, status }, ...rest });
}
