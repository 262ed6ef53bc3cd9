/** What goes wrong with an answer. */
export type Fault =
  /** Another answer instead of the real one; the request is not carried out. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
    }
  /** The connection breaks before an answer; the request is not carried out. */
  | { readonly kind: 'reset' }
  /** The request is carried out, and the connection breaks instead of the answer. */
  | { readonly kind: 'lost-answer' }
  /** No answer, ever. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection breaks after so many bytes of the answer's body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The connection stays, and nothing comes any more after so many bytes of the answer's body. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** The connection breaks after so many bytes of the request's body; with `keep` they count as uploaded. */
  | { readonly kind: 'cut-request'; readonly afterBytes: number; readonly keep?: boolean }
  /** No more than this passes, in either direction. A few bytes a second are what is called a slow loris. */
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** One bit of the answer's body is wrong. */
  | { readonly kind: 'corrupt' }
  /** The body ends early, and the answer says that this is all. */
  | { readonly kind: 'shorten'; readonly toBytes: number }
  /** Headers are other than they should be; `undefined` leaves one out. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string | undefined>> };

/** Which requests something goes wrong with. */
export interface FaultRule {
  readonly method?: string | undefined;
  /** Tested against path and query. */
  readonly path?: RegExp | undefined;
  /** Matching requests that go well first; default none. */
  readonly skip?: number | undefined;
  /** How many go wrong then; default 1. */
  readonly times?: number | undefined;
}

/** Faults that come by chance, the same for the same seed and the same order of requests. */
export interface Chaos {
  readonly seed: number;
  /** How many of the requests go wrong: 0 is none, 1 all. */
  readonly rate: number;
  readonly faults: readonly Fault[];
}

/** The faults that are still to come. */
export class FaultPlan {
  readonly #entries: Array<{ readonly rule: FaultRule; readonly fault: Fault; skip: number; times: number }> = [];
  readonly #chaos: Chaos | undefined;
  readonly #random: () => number;

  constructor(chaos?: Chaos) {
    this.#chaos = chaos;
    this.#random = randomNumbers(chaos?.seed ?? 0);
  }

  add(rule: FaultRule, fault: Fault): void {
    this.#entries.push({ rule, fault, skip: rule.skip ?? 0, times: rule.times ?? 1 });
  }

  /** The faults of one request, in the order in which they were added. */
  take(method: string, path: string): readonly Fault[] {
    const taken: Fault[] = [];
    for (const entry of this.#entries) {
      const { rule } = entry;
      if (rule.method !== undefined && rule.method !== method) continue;
      if (rule.path !== undefined && !rule.path.test(path)) continue;
      if (entry.skip > 0) entry.skip--;
      else if (entry.times > 0) {
        entry.times--;
        taken.push(entry.fault);
      }
    }
    const { rate = 0, faults = [] } = this.#chaos ?? {};
    if (faults.length > 0 && this.#random() < rate) taken.push(faults[Math.floor(this.#random() * faults.length)]!);
    return taken;
  }
}

/** At least 0 and less than 1, by the generator that is known as mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
