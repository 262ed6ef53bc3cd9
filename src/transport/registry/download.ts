import { isLadingError, LadingError } from '../../errors/errors.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { sizeMismatch } from '../../stream/verified.js';
import { backoffMs, type HttpResponse } from '../http/http.js';
import { systemTiming, type Timing } from '../http/timing.js';
import type { RegistryConnection } from './connection.js';
import type { RegistryEventSink } from './events.js';
import { protocolError, responseError, unreachable } from './failure.js';
import { defaultSlowLimit, SlowBody, type SlowLimit, unlessTooSlow } from './slow-body.js';

export interface DownloadOptions {
  readonly repository: string;
  readonly scopes: readonly string[];
  /** What is too slow to go on with; default 32 KiB in 30 seconds. */
  readonly slowLimit?: SlowLimit | undefined;
  readonly timing?: Timing | undefined;
  readonly onEvent?: RegistryEventSink | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A part of a blob: from `start` up to `end`, which is not in it. */
export interface BlobPart {
  readonly start: number;
  readonly end: number;
}

/** How often in a row the connection may break without a byte having come. */
const breaksWithoutProgress = 3;

/** Asks for a part of a blob; the answer is the part (206) or the whole (200). @throws LadingError BLOB_NOT_FOUND */
export async function requestBlob(
  connection: RegistryConnection,
  descriptor: Descriptor,
  { start, end }: BlobPart,
  { repository, scopes, signal }: DownloadOptions,
): Promise<HttpResponse> {
  const { digest, size } = descriptor;
  const partial = start > 0 || end < size;
  const response = await connection.send({
    method: 'GET',
    url: `/v2/${repository}/blobs/${digest}`,
    // An encoding on the way would change what is counted.
    headers: { 'accept-encoding': 'identity', ...(partial ? { range: `bytes=${start}-${end - 1}` } : {}) },
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
  if (response.status === 416 && start > 0) {
    response.discard();
    throw sizeMismatch(descriptor, start);
  }
  if (response.status === 206 && partial) {
    const from = /^bytes (\d{1,15})-/.exec(response.header('content-range') ?? '')?.[1];
    if (Number(from) !== start) {
      response.discard();
      throw protocolError(response.url, 'sends another part of a blob than it was asked for');
    }
  } else if (response.status !== 200) {
    throw await responseError(response, `cannot read ${digest}`);
  }
  return response;
}

/**
 * The bytes of a part behind a first answer. Where the connection breaks, the body ends too early or hardly anything
 * comes, the rest is asked for, for as long as something comes. What is delivered is not checked here.
 */
export async function* downloadBlob(
  connection: RegistryConnection,
  descriptor: Descriptor,
  part: BlobPart,
  first: HttpResponse,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  const { signal, timing = systemTiming, slowLimit = defaultSlowLimit } = options;
  let received = part.start;
  let breaks = 0;
  // What trickles in is no progress, or somebody could keep us for ever.
  let trickles = 0;
  for (let response = first; ; ) {
    // A registry that knows no ranges starts over.
    let toSkip = response.status === 206 ? 0 : received;
    if (toSkip > 0) report(toSkip);
    const begun = received - toSkip;
    const promised = Number(response.header('content-length') ?? 0);
    try {
      const body = response.body as AsyncIterable<Uint8Array>;
      for await (const chunk of unlessTooSlow(body, slowLimit, timing)) {
        const rest = toSkip > 0 ? chunk.subarray(toSkip) : chunk;
        toSkip -= chunk.length - rest.length;
        // More than the whole blob is for the check of it to find.
        const fresh = part.end < descriptor.size ? rest.subarray(0, part.end - received) : rest;
        if (fresh.length === 0) continue;
        received += fresh.length;
        breaks = 0;
        yield fresh;
        // Whoever promises more than there is would keep us waiting for it.
        if (received >= part.end && (part.end < descriptor.size || promised > part.end - begun)) return;
      }
      if (received >= part.end || ++breaks > breaksWithoutProgress) return;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (isLadingError(error)) throw error;
      const often = error instanceof SlowBody ? ++trickles : ++breaks;
      if (received >= part.end) return;
      if (often > breaksWithoutProgress) throw unreachable(response.url, error);
    } finally {
      response.body.destroy();
    }
    if (breaks > 1) await timing.wait(backoffMs(breaks - 2, timing), signal);
    response = await requestBlob(connection, descriptor, { start: received, end: part.end }, options);
  }

  function report(bytes: number): void {
    options.onEvent?.({ kind: 'transfer-repeated', direction: 'download', digest: descriptor.digest, bytes });
  }
}
