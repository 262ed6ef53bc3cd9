/** The thread that hashes layers. It is bundled into a text (see `hash-thread.ts`) and started from there. */
import { parentPort } from 'node:worker_threads';
import { type LayerDigests, LayerHashes, type LayerPiece } from './layer-hashes.js';

/** Something to be done for a layer, by its number. All but `drop` is answered, in order. */
export type HashOrder =
  | { readonly kind: 'update'; readonly layer: number; readonly piece: LayerPiece }
  | { readonly kind: 'digests' | 'drop'; readonly layer: number };

export type HashAnswer = LayerDigests | undefined;

const layers = new Map<number, LayerHashes>();

parentPort!.on('message', (order: HashOrder) => {
  const hashes = layers.get(order.layer) ?? new LayerHashes();
  if (order.kind === 'update') {
    layers.set(order.layer, hashes);
    hashes.update(order.piece);
    parentPort!.postMessage(undefined);
    return;
  }
  layers.delete(order.layer);
  if (order.kind === 'digests') parentPort!.postMessage(hashes.digests());
});
