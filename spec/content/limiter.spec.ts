import { describe, expect, it } from 'vitest';
import { Limiter } from '../../src/content/limiter.js';

describe('a limiter', () => {
  it('lets so many in, and the others in the order in which they came', async () => {
    const limiter = new Limiter(2);
    const order: number[] = [];
    let running = 0;
    await Promise.all(
      [0, 1, 2, 3, 4].map(i =>
        limiter.run(async () => {
          order.push(i);
          running++;
          expect(running).toBeLessThanOrEqual(2);
          await new Promise(resolve => setTimeout(resolve, 2));
          running--;
        }),
      ),
    );
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it('lets those go who wait no longer, and gives their place to nobody twice', async () => {
    const limiter = new Limiter(1);
    const leave = await limiter.enter();
    const stop = new AbortController();
    const impatient = limiter.enter(stop.signal);
    const patient = limiter.enter();
    stop.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    leave();
    leave();
    const next = await patient;
    let third = false;
    void limiter.enter().then(() => {
      third = true;
    });
    await new Promise(resolve => setTimeout(resolve, 5));
    expect(third).toBe(false);
    next();
    await expect.poll(() => third).toBe(true);
  });

  it('lets nobody in who has stopped already', async () => {
    await expect(new Limiter(1).enter(AbortSignal.abort(new Error('never')))).rejects.toThrow('never');
  });
});
