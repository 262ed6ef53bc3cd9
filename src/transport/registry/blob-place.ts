import type { HttpFailures, HttpResponse } from '../http/http.js';
import type { Timing } from '../http/timing.js';

/** A part of a blob: from `start` up to `end`, which is not in it. */
export interface BlobPart {
  readonly start: number;
  readonly end: number;
}

/** Where one blob can be read from by HTTP. */
export interface BlobPlace {
  readonly failures: Pick<HttpFailures, 'unreachable' | 'protocol'>;
  readonly timing: Timing;
  /** Waits until a blob may be fetched from there, and gives the function that says that it is done. */
  enter(signal: AbortSignal | undefined): Promise<() => void>;
  /** Asks for it with these headers. */
  ask(headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<HttpResponse>;
  /** Makes the error of an answer that is not the blob. Consumes the body. */
  refused(response: HttpResponse): Promise<Error>;
}
