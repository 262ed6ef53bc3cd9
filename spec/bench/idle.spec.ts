import { describe, expect, it } from 'vitest';
import { whenIdle } from './idle.js';

const { signal } = new AbortController();

describe('waiting for an idle machine', () => {
  it('goes on for as long as it is busy', async () => {
    const shares = [0, 0.9, 0.5, 0.01, 0.9];
    const times = { busy: 0, all: 0 };
    let looks = 0;
    await whenIdle({
      signal,
      look: () => {
        times.all += 500;
        times.busy += 500 * shares[looks++]!;
        return { ...times };
      },
    });
    expect(looks).toBe(4);
  });

  it('ends with the bench', async () => {
    const aborted = AbortSignal.abort(new Error('interrupted'));
    await expect(whenIdle({ signal: aborted })).rejects.toThrow();
  });
});
