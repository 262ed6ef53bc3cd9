import type { TransferNote } from '../../content/content.js';
import { isLadingError, LadingError } from '../../errors/errors.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { isDigest } from '../../oci/digest.js';
import type { Bytes } from '../../stream/bytes.js';
import { digestMismatch } from '../../stream/verified.js';
import type { HttpResponse } from '../http/http.js';
import { networkCode } from '../http/network-error.js';
import type { RegistryConnection } from './connection.js';
import { protocolError, repositoryHint, responseError } from './failure.js';
import { locationOf } from './response-location.js';

export interface SessionOptions {
  readonly repository: string;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * One upload as the registry sees it (distribution-spec, "Pushing blobs"). Where it goes on, the registry alone knows: the
 * latest `Location` is the session, and is noted for a process to come.
 */
export class UploadSession {
  readonly #connection: RegistryConnection;
  readonly #options: SessionOptions;
  readonly #note: TransferNote | undefined;
  #url: URL;
  /** The least that a piece may have, but for the last one. */
  readonly minChunkBytes: number;

  private constructor(
    connection: RegistryConnection,
    options: SessionOptions,
    note: TransferNote | undefined,
    url: URL,
    minChunkBytes = 0,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#note = note;
    this.#url = url;
    this.minChunkBytes = minChunkBytes;
  }

  /** Begins an upload. */
  static async start(
    connection: RegistryConnection,
    options: SessionOptions,
    note?: TransferNote,
  ): Promise<UploadSession> {
    const { repository, scopes, signal } = options;
    const response = await connection
      .send({
        method: 'POST',
        url: `/v2/${repository}/blobs/uploads/`,
        headers: { 'content-length': '0' },
        scopes,
        signal,
      })
      .catch(error => {
        throw hungUp(error);
      });
    if (response.status !== 202) {
      throw await responseError(response, `cannot upload to ${connection.registry}/${repository}`);
    }
    response.discard();
    const least = /^\d{1,10}$/.exec(response.header('oci-chunk-min-length') ?? '')?.[0];
    const url = locationOf(response, await connection.base(signal));
    const session = new UploadSession(connection, options, note, url, Number(least ?? 0));
    await note?.write(url.href);
    return session;
  }

  /** An upload that was begun before: by the registry itself, or, as a note says, by another process. */
  static resume(connection: RegistryConnection, options: SessionOptions, url: URL, note?: TransferNote): UploadSession {
    return new UploadSession(connection, options, note, url);
  }

  /** How many bytes have arrived; `undefined` when the registry has forgotten the upload. */
  async received(): Promise<number | undefined> {
    const { scopes, signal } = this.#options;
    const response = await this.#connection.send({ method: 'GET', url: this.#url, scopes, signal });
    const { status } = response;
    if (status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 429) {
      response.discard();
      return undefined;
    }
    if (status !== 204 && status !== 202 && status !== 200) throw await responseError(response, 'the upload is lost');
    response.discard();
    await this.#goOn(response);
    return receivedIn(response) ?? 0;
  }

  /** Sends one piece. @returns how many bytes the registry then has */
  async append(piece: Buffer, offset: number): Promise<number> {
    const { scopes, signal } = this.#options;
    const end = offset + piece.length;
    const response = await this.#connection.send({
      method: 'PATCH',
      url: this.#url,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(piece.length),
        'content-range': `${offset}-${end - 1}`,
      },
      body: piece,
      // Sent twice, the same piece would be the wrong piece.
      retries: 0,
      scopes,
      signal,
    });
    if (response.status !== 202 && response.status !== 201 && response.status !== 204) {
      throw await responseError(response, 'cannot upload a part of a blob');
    }
    response.discard();
    await this.#goOn(response);
    const claimed = receivedIn(response);
    // Some say nothing, or always the same; a part of the piece is what can be meant.
    return claimed !== undefined && claimed > offset && claimed < end ? claimed : end;
  }

  /** Ends the upload, with all of the blob or with what is left of it, which may be nothing. */
  async finish({ digest }: Descriptor, body?: Uint8Array | Bytes, length = 0): Promise<void> {
    const { href, search } = this.#url;
    const { scopes, signal } = this.#options;
    const response = await this.#connection.send({
      method: 'PUT',
      // Appended to the text: a registry may have signed its own part of the query as it stands.
      url: new URL(`${href}${search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`),
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(length) },
      body,
      // Whether the first try had ended the upload is for the session to find out.
      retries: 0,
      scopes,
      signal,
    });
    if (response.status !== 201 && response.status !== 204) {
      throw await responseError(response, `cannot upload ${digest}`);
    }
    response.discard();
    const stored = response.header('docker-content-digest');
    if (stored !== undefined && stored !== digest) {
      if (!isDigest(stored))
        throw protocolError(response.url, 'names what it stored by something that is not a digest');
      throw digestMismatch(digest, stored);
    }
    await this.#note?.remove();
  }

  /** Forgets the upload, here and at the registry. */
  async cancel(): Promise<void> {
    await this.#note?.remove();
    await cancelUpload(this.#connection, this.#url, this.#options.scopes);
  }

  async #goOn(response: HttpResponse): Promise<void> {
    if (response.header('location') === undefined) return;
    this.#url = locationOf(response, await this.#connection.base(this.#options.signal));
    await this.#note?.write(this.#url.href);
  }
}

/** Some hang up where they lack the repository, although they have answered everything before. */
function hungUp(error: unknown): unknown {
  if (!isLadingError(error, 'REGISTRY_UNREACHABLE')) return error;
  if (!/^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET)$/.test(networkCode(error.cause) ?? '')) return error;
  const { message, details, cause } = error;
  return new LadingError('REGISTRY_UNREACHABLE', message, { details, cause, hint: repositoryHint });
}

/** Tells the registry to forget an upload. Best effort, and in a hurry: it forgets by itself, only later. */
export async function cancelUpload(
  connection: RegistryConnection,
  session: URL,
  scopes: readonly string[],
): Promise<void> {
  try {
    const signal = AbortSignal.timeout(2_000);
    (await connection.send({ method: 'DELETE', url: session, scopes, retries: 0, signal })).discard();
  } catch {
    // What went wrong before is what the caller wants to know.
  }
}

/** "0-0" is what registries say both of nothing and of a single byte; nobody sends a single byte. */
function receivedIn(response: HttpResponse): number | undefined {
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.header('range') ?? '')?.[1];
  return last === undefined ? undefined : last === '0' ? 0 : Number(last) + 1;
}
