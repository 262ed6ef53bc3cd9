import { isLadingError } from '../../errors/errors.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { sizeMismatch } from '../../stream/verified.js';
import { backoffMs, type HttpResponse } from '../http/http.js';
import type { BlobPart, BlobPlace } from './blob-place.js';
import type { RegistryEventSink } from './events.js';
import { defaultSlowLimit, SlowBody, type SlowLimit, unlessTooSlow } from './slow-body.js';

export interface DownloadOptions {
  /** What is too slow to go on with; default 32 KiB in 30 seconds. */
  readonly slowLimit?: SlowLimit | undefined;
  readonly onEvent?: RegistryEventSink | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How often in a row the connection may break without a byte having come. */
const breaksWithoutProgress = 3;

/** Asks for a part of a blob; the answer is the part (206) or the whole (200). @throws LadingError BLOB_NOT_FOUND */
export async function requestBlob(
  place: BlobPlace,
  descriptor: Descriptor,
  { start, end }: BlobPart,
  { signal }: DownloadOptions,
): Promise<HttpResponse> {
  const partial = start > 0 || end < descriptor.size;
  // An encoding on the way would change what is counted.
  const headers = { 'accept-encoding': 'identity', ...(partial ? { range: `bytes=${start}-${end - 1}` } : {}) };
  const response = await place.ask(headers, signal);
  if (response.status === 416 && start > 0) {
    response.discard();
    throw sizeMismatch(descriptor, start);
  }
  if (response.status === 206 && partial) {
    const from = /^bytes (\d{1,15})-/.exec(response.header('content-range') ?? '')?.[1];
    if (Number(from) !== start) {
      response.discard();
      throw place.failures.protocol(response.url, 'sends another part of a blob than it was asked for');
    }
  } else if (response.status !== 200) {
    throw await place.refused(response);
  }
  return response;
}

/**
 * The bytes of a part behind a first answer. Where the connection breaks, the body ends too early or hardly anything
 * comes, the rest is asked for, for as long as something comes. What is delivered is not checked here.
 */
export async function* downloadBlob(
  place: BlobPlace,
  descriptor: Descriptor,
  part: BlobPart,
  first: HttpResponse,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  const { signal, slowLimit = defaultSlowLimit } = options;
  const { timing, failures } = place;
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
      if (often > breaksWithoutProgress) throw failures.unreachable(response.url, error);
    } finally {
      response.body.destroy();
    }
    if (breaks > 1) await timing.wait(backoffMs(breaks - 2, timing), signal);
    response = await requestBlob(place, descriptor, { start: received, end: part.end }, options);
  }

  function report(bytes: number): void {
    options.onEvent?.({ kind: 'transfer-repeated', direction: 'download', digest: descriptor.digest, bytes });
  }
}
