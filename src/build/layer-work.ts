import { Limiter } from '../content/limiter.js';
import type { LayerRef } from '../tree/node.js';
import { type Once, once } from './once.js';

/** The layers of one build, by the key of their record: each is looked for once and made once, for however many steps. */
export interface LayerWork {
  /** What the cache had before the build made it. Ask before making, so that no answer depends on who came first. */
  readonly find: Once<LayerRef | undefined>;
  readonly make: Once<LayerRef>;
  /** The same for what a command does: it is no packing, and waits for none but its own. */
  readonly execute: Once<LayerRef>;
  /** Packs a layer whose record is not known before: how many are packed at a time is limited over both. */
  readonly pack: <T>(work: () => Promise<T>) => Promise<T>;
}

/** One packing keeps all threads busy, a second one fills its pauses; more would cost memory and gain nothing. */
const packingsAtOnce = 2;

export function layerWork(): LayerWork {
  const limiter = new Limiter(packingsAtOnce);
  const made = once<LayerRef>();
  const pack: LayerWork['pack'] = work => limiter.run(work);
  return { find: once(), make: (key, work) => made(key, () => pack(work)), execute: once(), pack };
}
