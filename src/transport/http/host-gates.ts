import { Limiter } from '../../content/limiter.js';
import type { CallOptions } from '../../stream/bytes.js';

/** How many blobs one host is asked for, and how many it is sent, at a time. */
const transfersPerHost = 8;
/** Origins are few; this bounds what a list of hostile redirects can make us keep. */
const originLimit = 1000;

/**
 * What all who speak to a host must keep to together: until when it wants to be left alone, and how many transfers go on
 * at a time, in each direction. Two limiters, because a copy inside of one registry holds one of each.
 */
export class HostGates {
  readonly #limit: number;
  readonly #notBefore = new Map<string, number>();
  readonly #limiters = new Map<string, Limiter>();

  constructor(limit = transfersPerHost) {
    this.#limit = limit;
  }

  /** Nobody asks the origin again before `time`, on the clock of the askers. */
  holdBack(origin: string, time: number): void {
    if (this.#notBefore.size >= originLimit) this.#notBefore.clear();
    this.#notBefore.set(origin, Math.max(time, this.#notBefore.get(origin) ?? 0));
  }

  /** When the origin may be asked again; 0 for now. */
  notBefore(origin: string): number {
    return this.#notBefore.get(origin) ?? 0;
  }

  /**
   * Waits for a place, and gives the function that gives it back. Those who name the same limit share it.
   * @throws the signal's reason
   */
  async enter(
    host: string,
    direction: 'download' | 'upload',
    { signal, limit = this.#limit }: CallOptions & { readonly limit?: number | undefined } = {},
  ): Promise<() => void> {
    const key = `${direction} ${host} ${limit}`;
    let limiter = this.#limiters.get(key);
    if (limiter === undefined) {
      limiter = new Limiter(limit);
      this.#limiters.set(key, limiter);
    }
    return limiter.enter(signal);
  }
}

/** Those of this process: a registry counts the requests of all of it. */
export const processGates = new HostGates();
