import { setTimeout as sleep } from 'node:timers/promises';

/** The clock and the dice of the HTTP client; nothing that they say reaches an output byte. */
export interface Timing {
  /** Milliseconds on a clock that never jumps; only differences mean something. */
  now(): number;
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** At least 0, less than 1. */
  random(): number;
}

export const systemTiming: Timing = {
  now: () => performance.now(),
  wait: async (ms, signal) => {
    try {
      await sleep(ms, undefined, { signal });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
  random: () => Math.random(),
};
