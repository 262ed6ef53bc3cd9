import { openStore, type Store } from '../src/index.js';
import type { CliContext } from './context.js';
import { type GlobalArguments, storeRoot } from './global-options.js';

/** Opens the store that the arguments name for as long as `use` runs. */
export async function withStore<T>(
  args: GlobalArguments,
  context: CliContext,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore(storeRoot(args, context), { now: () => new Date(context.now()) });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
