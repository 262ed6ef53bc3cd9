import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';

/** Whether the store has something under a whole reference. What keeps it from saying so, whoever uses the store is told. */
export async function isNamed(store: Store, reference: string, options?: CallOptions): Promise<boolean> {
  return await store.resolve(reference, options).then(
    () => true,
    () => false,
  );
}
