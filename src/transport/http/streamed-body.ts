import type { Bytes, CallOptions } from '../../stream/bytes.js';
import { raced } from '../../stream/raced.js';
import { isRereadable } from '../../stream/rereadable.js';

/**
 * A body that is read while it is sent. It tells a failure of what is sent from a failure of the sending, and the sending
 * can be stopped.
 */
export class StreamedBody {
  readonly #body: Bytes;
  readonly #stop = new AbortController();
  #reading: Promise<void> | undefined;
  /** Why the content could not be read. */
  error: unknown;

  constructor(body: Bytes) {
    this.#body = body;
  }

  /** Whether all of it can be sent once more. */
  get rereadable(): boolean {
    return isRereadable(this.#body) && !this.#body.spent;
  }

  /** Ends the exchange together with what the caller has. */
  signal(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
  }

  async *content(): AsyncGenerator<Uint8Array> {
    let ended: () => void = () => {};
    this.#reading = new Promise(resolve => {
      ended = resolve;
    });
    try {
      yield* this.#body;
    } catch (error) {
      this.error = error ?? new Error('the content failed');
      throw error;
    } finally {
      ended();
    }
  }

  /** Ends the sending, and waits until nothing of the body is read any more. @throws the signal's reason */
  async stop({ signal }: CallOptions): Promise<void> {
    this.#stop.abort(new Error('the request goes elsewhere'));
    if (this.#reading !== undefined) await raced(this.#reading, signal);
  }
}
