/** Lets at most `limit` pieces of work run at a time; the others wait in the order in which they came. */
export class Limiter {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limit: number) {
    this.#limit = Math.max(1, Math.floor(limit));
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Waits for a place; the function that is returned gives it back, once. @throws the signal's reason */
  async enter(signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#running >= this.#limit) await this.#turn(signal);
    else this.#running += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const [next] = this.#waiting;
      // The place goes straight to the next in line, so a newcomer cannot slip in between.
      if (next) next();
      else this.#running -= 1;
    };
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leaveLine = (): void => {
        this.#waiting.delete(enter);
        signal?.removeEventListener('abort', giveUp);
      };
      const enter = (): void => {
        leaveLine();
        resolve();
      };
      const giveUp = (): void => {
        leaveLine();
        reject(signal?.reason);
      };
      this.#waiting.add(enter);
      signal?.addEventListener('abort', giveUp);
    });
  }
}
