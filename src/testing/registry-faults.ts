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
  /** The connection breaks after so many bytes of the request's body. */
  | { readonly kind: 'cut-request'; readonly afterBytes: number }
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

/** The faults that are still to come. */
export class FaultPlan {
  readonly #entries: Array<{ readonly rule: FaultRule; readonly fault: Fault; skip: number; times: number }> = [];

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
    return taken;
  }
}
