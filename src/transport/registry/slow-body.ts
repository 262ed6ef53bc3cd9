import type { Timing } from '../http/timing.js';

/** Less than `bytes` in `ms` of waiting for them is too slow. */
export interface SlowLimit {
  readonly bytes: number;
  readonly ms: number;
}

/** About one kibibyte a second. */
export const defaultSlowLimit: SlowLimit = { bytes: 32 * 1024, ms: 30_000 };

/** A server that keeps us with a byte now and then, which no limit on silence notices. */
export class SlowBody extends Error {
  readonly code = 'ETIMEDOUT';
}

/** The same body, that fails when too little of it comes. Only waiting counts: whoever takes the bytes may take time. */
export async function* unlessTooSlow(
  body: AsyncIterable<Uint8Array>,
  { bytes, ms }: SlowLimit,
  timing: Timing,
): AsyncGenerator<Uint8Array> {
  let waitedMs = 0;
  let came = 0;
  let asked = timing.now();
  for await (const chunk of body) {
    waitedMs += timing.now() - asked;
    came += chunk.length;
    if (waitedMs >= ms) {
      if (came < bytes) throw new SlowBody(`only ${came} bytes in ${Math.round(waitedMs)} ms`);
      waitedMs = came = 0;
    }
    yield chunk;
    asked = timing.now();
  }
}
