import { LadingError } from '../../errors/errors.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { HttpResponse } from '../http/http.js';
import { isPassing, networkCode } from '../http/network-error.js';
import type { RegistryConnection } from './connection.js';
import { protocolError, responseError, unreachable } from './failure.js';

export interface DownloadOptions {
  readonly repository: string;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** How often in a row the connection may break without a byte having come. */
const breaksWithoutProgress = 3;

/** Asks for a blob, from `offset` on. @throws LadingError BLOB_NOT_FOUND */
export async function requestBlob(
  connection: RegistryConnection,
  { digest, size }: Descriptor,
  offset: number,
  { repository, scopes, signal }: DownloadOptions,
): Promise<HttpResponse> {
  const response = await connection.send({
    method: 'GET',
    url: `/v2/${repository}/blobs/${digest}`,
    // An encoding on the way would change what is counted.
    headers: { 'accept-encoding': 'identity', ...(offset > 0 ? { range: `bytes=${offset}-${size - 1}` } : {}) },
    scopes,
    signal,
  });
  if (response.status === 404) {
    response.discard();
    throw new LadingError('BLOB_NOT_FOUND', `${connection.registry}/${repository} has no ${digest}`, {
      details: { digest },
      hint: 'The image is incomplete in the registry; push it again, or check the name.',
    });
  }
  if (response.status === 206 && offset > 0) {
    const start = /^bytes (\d{1,15})-/.exec(response.header('content-range') ?? '')?.[1];
    if (Number(start) !== offset) {
      response.discard();
      throw protocolError(response.url, 'sends another part of a blob than it was asked for');
    }
  } else if (response.status !== 200) {
    throw await responseError(response, `cannot read ${digest}`);
  }
  return response;
}

/**
 * The bytes behind a first answer; where the connection breaks, the rest is asked for. What is delivered is not
 * checked here.
 */
export async function* downloadBlob(
  connection: RegistryConnection,
  descriptor: Descriptor,
  first: HttpResponse,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  const { signal } = options;
  let received = 0;
  let breaks = 0;
  for (let response = first; ; response = await requestBlob(connection, descriptor, received, options)) {
    // A registry that knows no ranges starts over.
    let toSkip = response.status === 206 ? 0 : received;
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        const fresh = toSkip > 0 ? chunk.subarray(toSkip) : chunk;
        toSkip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        received += fresh.length;
        breaks = 0;
        yield fresh;
      }
      return;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const broken = isPassing(error) || networkCode(error) === 'UND_ERR_ABORTED';
      if (!broken || received >= descriptor.size || ++breaks > breaksWithoutProgress)
        throw unreachable(response.url, error);
    } finally {
      response.body.destroy();
    }
  }
}
