import { describe, expect, it } from 'vitest';
import { lazy } from '../../src/stream/lazy.js';

describe('lazy', () => {
  it('makes it once, for the first who asks', async () => {
    let count = 0;
    const value = lazy(async () => {
      count += 1;
      return count;
    });
    expect(value.made).toBeUndefined();
    expect(count).toBe(0);
    expect(await Promise.all([value(), value()])).toEqual([1, 1]);
    expect(await value.made).toBe(1);
  });

  it('fails for all in the same way', async () => {
    const value = lazy(() => Promise.reject(new Error('no')));
    const failures = await Promise.all([value(), value()].map(promise => promise.catch(error => error)));
    expect(failures[0]).toBe(failures[1]);
    await expect(value.made).rejects.toBe(failures[0]);
  });
});
