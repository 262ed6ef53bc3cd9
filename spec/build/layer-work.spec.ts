import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { layerWork } from '../../src/build/layer-work.js';
import { digestOf } from '../../src/oci/digest.js';
import type { LayerRef } from '../../src/tree/node.js';

const digest = digestOf(Buffer.from('layer'));
const layer: LayerRef = { diffId: digest, blob: { mediaType: 'x/y', digest, size: 1 } };

describe('layerWork', () => {
  it('makes each layer once, and few at a time', async () => {
    const { make } = layerWork();
    let running = 0;
    let most = 0;
    let made = 0;
    const work = async (): Promise<LayerRef> => {
      most = Math.max(most, ++running);
      for (let i = 0; i < 3; i++) await turn();
      running -= 1;
      made += 1;
      return layer;
    };
    await Promise.all(Array.from({ length: 50 }, (_, i) => make(String(i % 10), work)));
    expect([made, most]).toEqual([10, 2]);
  });

  it('lets everyone who comes to a layer fail with it, and others be made', async () => {
    const { make } = layerWork();
    const failing = async (): Promise<LayerRef> => {
      await turn();
      throw new Error('full');
    };
    const outcomes = await Promise.allSettled([make('a', failing), make('a', failing), make('b', async () => layer)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });

  it('asks once what the cache has', async () => {
    const { find } = layerWork();
    let asked = 0;
    const ask = async (): Promise<undefined> => void (asked += 1);
    await Promise.all([find('a', ask), find('a', ask), find('b', ask)]);
    expect(asked).toBe(2);
  });
});
